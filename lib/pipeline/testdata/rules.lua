local ci = require("quire.ci")
  ci.job("a", {"b"}, function() end)
ci.job("b", {"a", "nowhere"}, function() end, {retries = 1, when = {x = 1}})
for i = 1, 2 do
	ci.job("same", {"quire/push"}, function() end)
end
