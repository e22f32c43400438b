(local x nil)
{:jobs
  (.. "a" x)}
