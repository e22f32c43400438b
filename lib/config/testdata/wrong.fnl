(local kind :cloud)
{:executer :host
 :executor kind
 :launcher :bwrap
 :jobs "two"
 :max-runs 1.5
 :timeout 10
 :grace "fast"
 :pass-env [:PATH 5
       :GIT_DIR]
 :env {:A 5
       :CI "x"}
 :keep {:run 1}
 :secrets {:a 5
           "caf\xe9" "x"
           :b {}
           :c {:file "x" :value "y"}
           :d (fn [] "x")
           :e {:value "x" :refs ["refs/heads/main"
                                 "heads/main"]}
           :f {:value "x" :refs {}}}
 :repo {"work/*" {:timeouts "1m"}
        "work/" {:inherit-secrets [:a
                                   :z]}
        :top 1}}
