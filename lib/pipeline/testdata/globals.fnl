(local ci (require :quire.ci))
(ci.job :a [:quire/push] (fn [{: sh}] (shh "make")))
(print unknown-name)
