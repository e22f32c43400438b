;; A pipeline as people write them.
(local ci (require :quire.ci))

(ci.image "golang:1.26")

(fn go [sh ...]
  (sh [:go ...] {:env {:CGO_ENABLED "0"}}))

(ci.job :build [:quire/push]
  (fn [{: sh}]
    (go sh :build "./...")))

(each [_ name (ipairs [:vet :test])]
  (ci.job name [:build]
    (fn [{: sh}]
      (go sh name "./..."))
    {:timeout "10m"}))

(ci.job :release [:vet :test]
  (fn [{: sh : jobs : secret}]
    (let [push (jobs :quire/push)]
      (when push.tag
        (sh "make release" {:env {:TOKEN (secret :token) :TAG push.tag}}))))
  {:when {:tag "v*"}})
