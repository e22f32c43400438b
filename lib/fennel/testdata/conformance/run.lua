-- Returns run(text, name): load Lua text, run it in globals of its own, and say
-- in one line what came out. The same file serves gopher-lua and PUC Lua 5.1 to
-- 5.4, so what it prints must not depend on which of them runs it:
--
--   -> 1 "two" [3 4] {"k" 5}        the values returned
--   -> 1 ; "a" "b"                  the same, after note("a") and note("b")
--   !> case.fnl:3: boom             a run-time error
--   !load message                   text that does not load

local show

local function number(n)
  if n ~= n then return "nan" end
  if n == 1 / 0 then return "inf" end
  if n == -1 / 0 then return "-inf" end
  -- The same digits for 2, 2.0 and the integer 2 of Lua 5.4.
  if n % 1 == 0 and n > -1e15 and n < 1e15 then
    return (string.format("%.0f", n):gsub("^%-0$", "0"))
  end
  local short = string.format("%.14g", n)
  return tonumber(short) == n and short or string.format("%.17g", n)
end

local function quote(s)
  s = s:gsub("[%c\\\"\127-\255]", function(c)
    if c == "\n" then return "\\n" end
    if c == '"' or c == "\\" then return "\\" .. c end
    return string.format("\\%03d", c:byte())
  end)
  return '"' .. s .. '"'
end

local rank = { number = 1, string = 2, boolean = 3 }

-- before orders keys: numbers, strings, booleans, then the rest as printed.
local function before(a, b)
  local ra, rb = rank[type(a)] or 4, rank[type(b)] or 4
  if ra ~= rb then return ra < rb end
  if ra <= 2 then return a < b end
  return tostring(a) < tostring(b)
end

local function tableText(t, seen)
  if seen[t] then return "#<cycle>" end
  seen[t] = true
  local n, keys = 0, {}
  while rawget(t, n + 1) ~= nil do n = n + 1 end
  for k in next, t, nil do keys[#keys + 1] = k end
  local out = {}
  if #keys == n and n > 0 then
    for i = 1, n do out[i] = show(rawget(t, i), seen) end
    seen[t] = nil
    return "[" .. table.concat(out, " ") .. "]"
  end
  table.sort(keys, before)
  for i, k in ipairs(keys) do
    out[i] = show(k, seen) .. " " .. show(rawget(t, k), seen)
  end
  seen[t] = nil
  return "{" .. table.concat(out, " ") .. "}"
end

function show(v, seen)
  local kind = type(v)
  if kind == "number" then return number(v) end
  if kind == "string" then return quote(v) end
  if kind == "table" then return tableText(v, seen) end
  if kind == "nil" or kind == "boolean" then return tostring(v) end
  return "#<" .. kind .. ">"
end

local function showAll(n, values)
  local out = {}
  for i = 1, n do out[i] = " " .. show(values[i], {}) end
  return table.concat(out)
end

-- globals makes the globals of one program: what it does to them or to the
-- library tables does not reach the next.
local function globals(log)
  local env = {}
  for k, v in next, _G, nil do
    if type(v) == "table" and v ~= _G then
      local copy = {}
      for name, f in next, v, nil do copy[name] = f end
      v = copy
    end
    env[k] = v
  end
  env._G = env
  env.unpack = unpack or table.unpack
  env.package = { loaded = {}, preload = {}, path = "" }
  function env.require(name)
    local loaded, preload = env.package.loaded, env.package.preload
    if loaded[name] == nil then
      if not preload[name] then error("module '" .. tostring(name) .. "' not found") end
      local got = preload[name](name)
      loaded[name] = got == nil or got
    end
    return loaded[name]
  end
  function env.note(...)
    log[#log + 1] = " " .. show((...), {})
    return ...
  end
  function env.print(...)
    log[#log + 1] = " print:" .. showAll(select("#", ...), { ... })
  end
  return env
end

local function compile(text, name, env)
  if setfenv then
    local f, err = loadstring(text, name)
    return f and setfenv(f, env), err
  end
  return load(text, name, "t", env)
end

local function line(s) return (tostring(s):gsub("[\r\n]", " ")) end

local function finish(log, ok, ...)
  local out
  if ok then
    out = "->" .. showAll(select("#", ...), { ... })
  elseif type((...)) == "string" then
    out = "!> " .. line((...))
  else
    out = "!> " .. show((...), {})
  end
  if #log > 0 then out = out .. " ;" .. table.concat(log) end
  return out
end

return function(text, name)
  local log = {}
  local f, err = compile(text, name, globals(log))
  if not f then return "!load " .. line(err) end
  return finish(log, pcall(f))
end
