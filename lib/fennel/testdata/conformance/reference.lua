-- lua reference.lua FENNEL.LUA LIST: compile with a reference compiler.
--
-- Each line of LIST is SOURCE TAB NAME TAB GLOBALS TAB ROOTS: the file SOURCE is
-- compiled under the name NAME, where the space separated GLOBALS are the known
-- ones, or "-" where any is. The Lua goes to SOURCE.lua; an error to SOURCE.err, on one
-- line, as "!! LINE:COLUMN message" with the column counted from 1, as quire's.
-- Modules are found below the directories of ROOTS, which colons part.

local fennel = dofile(arg[1])
local steps = 1e8 -- of Lua's machine, for one source: a macro may loop for ever

local function write(path, text)
  local f = assert(io.open(path, "wb"))
  f:write(text)
  f:close()
end

local function read(path)
  local f = assert(io.open(path, "rb"))
  local text = f:read("*a")
  f:close()
  return text
end

local function known(names)
  if names == "-" then return nil end
  local list = {}
  for name in names:gmatch("%S+") do list[#list + 1] = name end
  return list
end

-- below returns a search path: each pattern below each of the roots.
local function below(roots, ...)
  local path = {}
  for root in roots:gmatch("[^:]+") do
    for _, pattern in ipairs({ ... }) do path[#path + 1] = root .. "/" .. pattern end
  end
  return table.concat(path, ";")
end

local function complaint(err)
  local message = tostring(err):gsub("\27%[[%d;]*m", "")
  local place, column, rest = message:match(":(%d+):(%d+):? (.*)$")
  if not place then return "!! ? " .. message:gsub("\n", " ") end
  rest = rest:gsub("^Compile error in '.-': ", ""):gsub("^%a+ error[^:]*: ", "")
  return "!! " .. place .. ":" .. (tonumber(column) + 1) .. " " .. rest:gsub("\n", " ")
end

for job in io.lines(arg[2]) do
  local source, name, names, roots = job:match("^(.-)\t(.-)\t(.-)\t(.*)$")
  fennel["macro-path"] = below(roots, "?.fnlm", "?/init.fnlm", "?.fnl", "?/init-macros.fnl", "?/init.fnl")
  fennel.path = below(roots, "?.fnl", "?/init.fnl")
  package.path = below(roots, "?.lua")
  for module in pairs(fennel["macro-loaded"]) do fennel["macro-loaded"][module] = nil end
  debug.sethook(function() error("too many steps") end, "", steps)
  local ok, lua = pcall(fennel.compileString, read(source), {
    filename = name,
    allowedGlobals = known(names) or false,
    correlate = true,
    unfriendly = true,
    ["error-pinpoint"] = false,
    warn = function() end,
  })
  debug.sethook()
  if ok then write(source .. ".lua", lua) else write(source .. ".err", complaint(lua)) end
end
