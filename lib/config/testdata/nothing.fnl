;; nothing
