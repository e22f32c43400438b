(local ci (require :quire.ci))
(ci.job :bad/id [:quire/push] (fn []))
(fn helper [x]
  (error (.. "no " x)))
(helper "luck")
