local ci = require("quire.ci")
ci.job("a", {"quire/push"}, function()
  local x = = 1
end)
