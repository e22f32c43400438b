-- Returns run(text, name, lenient): load Lua text, run it in globals of its own, and say
-- in one line what came out. The same file serves package vm and PUC Lua 5.1 to
-- 5.4, so what it prints must not depend on which of them runs it:
--
--   -> 1 "two" [3 4] {"k" 5}        the values returned
--   -> 1 ; "a" "b"                  the same, after note("a") and note("b")
--   !> case.fnl:3: boom             a run-time error
--   !load message                   text that does not load
--
-- A lenient run gives the program a value that takes every use in place of each
-- global and module that it does not find, so that code written for an editor or
-- a game gets further than its first line. No program reaches files or processes.

local show

local function number(n)
  if n ~= n then return "nan" end
  if n == 1 / 0 then return "inf" end
  if n == -1 / 0 then return "-inf" end
  -- The same digits for 2, 2.0 and the integer 2 of Lua 5.4.
  if n % 1 == 0 and n > -1e16 and n < 1e16 then
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

-- anything is a value that can be indexed, called and reckoned with.
local function anything()
  local it = {}
  local function same() return it end
  local function one() return 1 end
  local function no() return false end
  local function text() return "anything" end
  return setmetatable(it, {
    __index = same, __newindex = no, __call = same, __concat = text, __tostring = text,
    __add = one, __sub = one, __mul = one, __div = one, __mod = one, __pow = one, __unm = one,
    __lt = no, __le = no,
  })
end

local harmless = { clock = true, date = true, difftime = true, time = true }

-- globals makes the globals of one program: what it does to them or to the
-- library tables does not reach the next.
local function globals(log, lenient)
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
  for _, name in ipairs({ "arg", "debug", "dofile", "io", "load", "loadfile", "loadstring" }) do env[name] = nil end
  for name in next, os, nil do
    if not harmless[name] then env.os[name] = nil end
  end
  -- with-open asks for a traceback where it can; none is comparable.
  env.debug = { traceback = function(message) return message end }
  local missing = lenient and anything()
  env.unpack = unpack or table.unpack
  env.package = { loaded = {}, preload = {}, path = "" }
  function env.require(name)
    local loaded, preload = env.package.loaded, env.package.preload
    if loaded[name] == nil then
      if not preload[name] and lenient then return missing end
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
  if lenient then setmetatable(env, { __index = function() return missing end }) end
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

return function(text, name, lenient)
  local log = {}
  local f, err = compile(text, name, globals(log, lenient))
  if not f then return "!load " .. line(err) end
  return finish(log, pcall(f))
end
