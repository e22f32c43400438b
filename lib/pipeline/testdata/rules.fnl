(local ci (require :quire.ci))

(ci.image "debian:12")
(ci.image "debian:13")
(ci.job :empty [] (fn []))
(ci.job "a/b" [:quire/push] (fn []))
(ci.job :twice [:quire/push] (fn []))
(ci.job :twice [:quire/push] (fn []))
(ci.job :unknown [:tqice :quire/pull] (fn []))
(ci.job :self [:self] (fn []))
(ci.job :x [:z] (fn []))
(ci.job :y [:x] (fn []))
(ci.job :z
        [:quire/push
         :y]
        (fn []))
(ci.job :behind [:loop2] (fn []))
(ci.job :loop1 [:loop2] (fn []))
(ci.job :loop2 [:loop1] (fn []))
(ci.job "" [:quire/push] (fn []))
(ci.job ".." [:quire/push] (fn []))
(ci.job "a\nb" [:quire/push] (fn []))
