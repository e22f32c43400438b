(local ci (require :quire.ci))

(ci.job 5 [:quire/push] (fn []))
(ci.job nil [:quire/push] (fn []))
(ci.job :a :quire/push (fn []))
(ci.job :b [:quire/push 7] (fn []))
(ci.job :c {:x :quire/push} (fn []))
(ci.job :d [:quire/push] "make")
(ci.job :e [:quire/push])
(ci.job :f [:quire/push] (fn []) "opts")
(ci.job :g [:quire/push] (fn []) {:retries 1 :timeout "soon" :retry -1 :always 1})
(ci.job :h [:quire/push] (fn [])
        {:when {:branches "main" :tag 5}
         :timeout -10
         :allow-failure "yes"})
(ci.job :i [:quire/push] (fn []) {} {})
(ci.image 5)
(ci.mirror)
(ci.mirror "u" {:secret 5 :tag "v" :refs "main" :after [] :force true})
(let [name :computed]
  (ci.job name [] (fn [])))
