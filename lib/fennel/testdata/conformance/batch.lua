-- lua batch.lua RUN.LUA LIST [lenient]: run the Lua files that LIST names, one a line,
-- under the name case.fnl, and write what run.lua makes of FILE to FILE.out.
-- What runs too long, or grows too deep, ends as an error of that program alone.

local run = dofile(arg[1])
local steps = 5e7

for path in io.lines(arg[2]) do
  local f = assert(io.open(path, "rb"))
  local text = f:read("*a")
  f:close()
  if debug and debug.sethook then
    debug.sethook(function() error("too many steps") end, "", steps)
  end
  local result = run(text, "@case.fnl", arg[3] == "lenient")
  if debug and debug.sethook then debug.sethook() end
  f = assert(io.open(path .. ".out", "wb"))
  f:write(result)
  f:close()
end
