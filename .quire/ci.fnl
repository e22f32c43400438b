;; quire's own pipeline: its gate, on every push.
(local ci (require :quire.ci))

(ci.job :build [:quire/push]
  (fn [{: sh}]
    (sh "make all")))

(ci.job :check [:build]
  (fn [{: sh}]
    (sh "make check" {:timeout "20m"})))
