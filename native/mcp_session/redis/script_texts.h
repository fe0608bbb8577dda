// The texts of the scripts (scripts.h). RedisScripts puts kPrelude in front of each but kPut. A
// number that goes to redis.call is written as text where that is cheap: Redis takes longer to make
// it one.
#ifndef MCP_SESSION_REDIS_SCRIPT_TEXTS_H_
#define MCP_SESSION_REDIS_SCRIPT_TEXTS_H_

#include <string_view>

namespace mcp_session::script {

// In front of the scripts. The clock is read once: while a script runs TIME goes on, and expiry
// is judged as of its start.
//
// look(key, tag) answers nothing for a key that is not there; for a record of ours its fields,
// with `left` the milliseconds until its end (0 or less: it is dead, and remembered) and `at` when
// its key goes; and true as second value for anything else, which no script may change.
//
// What goes with records, their streams and the index, does so at the end of the minute in which
// the last of these goes, so that most accesses need not move it: goes_with says when that is.
//
// No shebang: with one, servers under memory pressure refuse even scripts that only delete.
// Without, they refuse a command that needs memory, unless the script has written before: so what
// may be refused comes first, and a script is done as a whole or not at all.
inline constexpr std::string_view kPrelude = R"lua(
local NONE = '9999999999999999'
local time = redis.call('TIME')
local us = time[1] * 1000000 + time[2]
local now = math.floor(us / 1000)
local function digits(n) return string.format('%016.0f', n) end
local function goes_with(at) return (math.floor(at / 60000) + 1) * 60000 end
local function look(key, tag)
  local text = redis.call('GETRANGE', key, '0', '143')
  if text == '' and redis.call('EXISTS', key) == 0 then return nil end
  local sub = string.sub
  local h = {text = text, version = tonumber(sub(text, 27, 42)), last = sub(text, 59, 74),
             idle = tonumber(sub(text, 75, 86)), remember = tonumber(sub(text, 87, 98)),
             fence = sub(text, 99, 114), write_id = sub(text, 115, 130)}
  local ends = tonumber(sub(text, 43, 58))
  if #text < 144 or sub(text, 1, 26) ~= 'MS2|' .. tag or not h.version or not ends or
      not h.idle or not h.remember or not tonumber(h.last) then
    return nil, true
  end
  h.left = ends - now
  h.at = ends + h.remember - 1
  return h
end
local function life_left(h)
  if h.last == NONE then return -1 end
  return tonumber(h.last) - now
end
local function whole(status, h, key)
  return {status, h.version, h.left, life_left(h), redis.call('GET', key)}
end
local function hold_index(index, at)
  local goes = goes_with(at)
  if index and redis.call('PTTL', index) < goes - now then
    redis.call('PEXPIREAT', index, goes)
  end
end
local function access(h, record, stream, index)
  local length = h.idle
  if length == 0 then return end
  if h.last ~= NONE then length = math.min(length, tonumber(h.last) - now) end
  if length <= h.left then return end
  local at = now + length + h.remember - 1
  redis.call('PEXPIREAT', record, at)
  redis.call('SETRANGE', record, 42, digits(now + length))
  if goes_with(at) > goes_with(h.at) then
    redis.call('PEXPIREAT', stream, goes_with(at))
    hold_index(index, at)
  end
  h.left, h.at = length, at
end
local function write(key, head, body, padded, ...)
  if padded == '1' then
    redis.call('SET', key, body, ...)
    redis.call('SETRANGE', key, 0, head)
  else
    redis.call('SET', key, head .. body, ...)
  end
end
local function held_token(lock)
  local held = redis.call('GET', lock)
  return held and string.sub(held, 18, 33) or '0000000000000000'
end
local function has_room(index, quota)
  if redis.call('ZCARD', index) < quota then return true end
  local base = string.sub(index, 1, -3)
  for _, member in ipairs(redis.call('ZRANGE', index, 0, -1)) do
    local key = base .. string.sub(member, 1, 22) .. ':s'
    local ends = tonumber(redis.pcall('GETRANGE', key, 42, 57))
    if not ends or ends <= now then redis.call('ZREM', index, member) end
  end
  return redis.call('ZCARD', index) < quota
end
local function add_to_index(index, member, at)
  local newest = redis.call('ZREVRANGE', index, 0, 0, 'WITHSCORES')[2]
  local score = us
  if newest and tonumber(newest) >= score then score = tonumber(newest) + 1 end
  redis.call('ZADD', index, string.format('%.0f', score), member)
  hold_index(index, at)
end
)lua";

// KEYS record, stream, lock, [index]. ARGV tag, idle_ttl or 0, max_life or -1, remember, write id,
// checksum, kind size, kind and data, whether these have room for the header before them, member
// of the index, most records of the owner. Answers {"ok", version, left, max_life left};
// {"same", ..., value} to a write that comes again; {"exists"}; {"full"}; {"corrupt"}.
inline constexpr std::string_view kCreate = R"lua(
local h, foreign = look(KEYS[1], ARGV[1])
if foreign then return {'corrupt'} end
if h and h.left > 0 then
  if h.write_id == ARGV[5] then return whole('same', h, KEYS[1]) end
  return {'exists'}
end
local index = KEYS[4]
if index and not has_room(index, tonumber(ARGV[11])) then return {'full'} end
local idle, max_life = tonumber(ARGV[2]), tonumber(ARGV[3])
local length, last = idle, NONE
if max_life >= 0 then
  last = digits(now + max_life)
  if idle == 0 or max_life < idle then length = max_life end
end
local version = math.max(us, h and h.version + 1 or 0)
local at = now + length + ARGV[4] - 1
write(KEYS[1], 'MS2|' .. ARGV[1] .. digits(version) .. digits(now + length) .. last ..
      string.format('%012.0f%012.0f', idle, ARGV[4]) .. held_token(KEYS[3]) .. ARGV[5] ..
      ARGV[6] .. ARGV[7] .. '   ', ARGV[8], ARGV[9], 'PXAT', at)
redis.call('DEL', KEYS[2])
if index then add_to_index(index, ARGV[10], at) end
return {'ok', version, length, max_life}
)lua";

// KEYS records, then keys that are only named for a cluster. ARGV for each record its head and its
// body (put_batch.h). Answers the clock in microseconds, then for each record: version, end and
// last end, sixteen digits each, in one text; or a list as kCreate's, without "exists" and "full"
// and with {"none"}, {"expired"}, {"fenced"} and {"conflict", ..., value}. Nothing one of them
// finds stops the others.
//
// Without kPrelude, whose functions are made anew whenever a script runs: a call in a session runs
// this script and no other. A text is compared and put together as it is wherever that will do:
// each piece cut from one, each number read and each list answered costs the server as much as a
// tenth of a command does.
inline constexpr std::string_view kPut = R"lua(
local call, sub = redis.call, string.sub
local time = call('TIME')
local clock = time[1] .. sub('00000' .. time[2], -6)
local us = tonumber(clock)
local now = math.floor(us / 1000)
local function refuse(key, text)
  if text == '' and call('EXISTS', key) == 0 then return {'none'} end
  return {'corrupt'}
end
local function hold(key, from, to)
  local minute = math.floor(to / 60000)
  if minute == math.floor(from / 60000) then return end
  local goes = (minute + 1) * 60000
  call('PEXPIREAT', sub(key, 1, -2) .. 'x', goes)
  if sub(key, -3, -3) == '}' then return end
  local index = sub(key, 1, -25) .. ':i'
  if call('PTTL', index) < goes - now then call('PEXPIREAT', index, goes) end
end
local function put(key, mine, body)
  local text = redis.pcall('GETRANGE', key, '0', '143')
  if type(text) ~= 'string' then return {'corrupt'} end
  local ours, seen = sub(mine, 1, 26), sub(text, 27, 42)
  local version, ends = tonumber(seen), tonumber(sub(text, 43, 58))
  if sub(text, 1, 26) ~= ours or #text < 144 or not version or not ends then
    return refuse(key, text)
  end
  if ends <= now then return {'expired'} end
  local expected, fence = sub(mine, 57, 72), sub(mine, 73, 88)
  local other
  if sub(text, 115, 130) == sub(mine, 27, 42) then
    other = 'same'
  elseif fence ~= '0000000000000000' and fence < sub(text, 99, 114) then
    return {'fenced'}
  elseif expected ~= '----------------' and expected ~= seen then
    other = 'conflict'
  end
  if other then
    local last = tonumber(sub(text, 59, 74))
    if not last then return {'corrupt'} end
    local life_left = last == 9999999999999999 and -1 or last - now
    return {other, version, ends - now, life_left, call('GET', key)}
  end
  local digits = clock
  if us <= version then digits = string.format('%016.0f', version + 1) end
  local kept, goes_from, goes = sub(text, 43, 114)
  if sub(text, 75, 86) ~= '000000000000' then
    local last = tonumber(sub(text, 59, 74))
    local idle, remember = tonumber(sub(text, 75, 86)), tonumber(sub(text, 87, 98))
    if not last or not idle or not remember then return {'corrupt'} end
    local to = math.min(now + idle, last)
    if to > ends then
      goes_from, goes = ends + remember - 1, to + remember - 1
      kept = string.format('%016.0f', to) .. sub(text, 59, 114)
    end
  end
  local head = ours .. digits .. kept .. sub(mine, 27, 56)
  local padded = sub(mine, 89) == '1'
  local value = padded and body or head .. body
  if goes then
    call('SET', key, value, 'PXAT', string.format('%.0f', goes))
    hold(key, goes_from, goes)
  else
    call('SET', key, value, 'KEEPTTL')
  end
  if padded then call('SETRANGE', key, '0', head) end
  return digits .. sub(kept, 1, 32)
end
local answers = {us}
for i = 1, #ARGV / 2 do answers[i + 1] = put(KEYS[i], ARGV[2 * i - 1], ARGV[2 * i]) end
return answers
)lua";

// KEYS record, stream, [index]. ARGV tag.
inline constexpr std::string_view kTouch = R"lua(
local h, foreign = look(KEYS[1], ARGV[1])
if foreign then return {'corrupt'} end
if not h then return {'none'} end
if h.left <= 0 then return {'expired'} end
access(h, KEYS[1], KEYS[2], KEYS[3])
return {'ok'}
)lua";

// KEYS record, stream, [index]. ARGV tag, expected version or nothing, fence, member of the index,
// channel, "1" to answer the record and leave a dead one alone (Take) or "0" (Remove).
inline constexpr std::string_view kEnd = R"lua(
local h, foreign = look(KEYS[1], ARGV[1])
if foreign then return {'corrupt'} end
if not h then return {'none'} end
local answer = {'expired'}
if h.left > 0 then
  if ARGV[3] ~= '0' and ARGV[3] < h.fence then return {'fenced'} end
  if ARGV[2] ~= '' and ARGV[2] ~= string.sub(h.text, 27, 42) then
    return whole('conflict', h, KEYS[1])
  end
  answer = ARGV[6] == '1' and whole('ok', h, KEYS[1]) or {'ok'}
elseif ARGV[6] == '1' then
  return answer
end
redis.call('UNLINK', KEYS[1], KEYS[2])
if KEYS[3] then redis.call('ZREM', KEYS[3], ARGV[4]) end
redis.call('PUBLISH', ARGV[5], '0')
return answer
)lua";

// KEYS record, stream, record to be, its stream, its lock, [index], [index to be]. ARGV tag, tag to
// be, write id, member of the index, member to be, most records of the owner, whether there are the
// indexes ("1" or "0" for each), channel; and for another kind: the version all was computed from,
// checksum, kind size, kind (else four times nothing). {"changed"}: it has another version.
inline constexpr std::string_view kRegenerate = R"lua(
local h, foreign = look(KEYS[1], ARGV[1])
local to, foreign_to = look(KEYS[3], ARGV[2])
if foreign or foreign_to then return {'corrupt'} end
local occupied = to and to.left > 0
if occupied and to.write_id == ARGV[3] then return whole('same', to, KEYS[3]) end
if not h then return {'none'} end
if h.left <= 0 then return {'expired'} end
if occupied then return {'exists'} end
if ARGV[10] ~= '' and ARGV[10] ~= string.sub(h.text, 27, 42) then return {'changed'} end
local owned, to_be_owned = ARGV[7] == '1', ARGV[8] == '1'
local index = owned and KEYS[6] or nil
local new_index = to_be_owned and KEYS[owned and 7 or 6] or nil
if new_index and new_index ~= index and not has_room(new_index, tonumber(ARGV[6])) then
  return {'full'}
end
local version = math.max(us, h.version + 1, to and to.version + 1 or 0)
local fence = h.fence
local held = held_token(KEYS[5])
if held > fence then fence = held end
local head = 'MS2|' .. ARGV[2] .. digits(version) .. string.sub(h.text, 43, 98) .. fence .. ARGV[3]
redis.call('RENAME', KEYS[1], KEYS[3])
if ARGV[12] == '' then
  redis.call('SETRANGE', KEYS[3], 0, head)
else
  local data = redis.call('GETRANGE', KEYS[3], 144 + tonumber(string.sub(h.text, 139, 141)), -1)
  redis.call('SET', KEYS[3], head .. ARGV[11] .. ARGV[12] .. '   ' .. ARGV[13] .. data, 'KEEPTTL')
end
redis.call('DEL', KEYS[4])
if redis.call('EXISTS', KEYS[2]) == 1 then redis.call('RENAME', KEYS[2], KEYS[4]) end
if index then redis.call('ZREM', index, ARGV[4]) end
if new_index then add_to_index(new_index, ARGV[5], h.at) end
redis.call('PUBLISH', ARGV[9], '0')
h.version = version
return whole('ok', h, KEYS[3])
)lua";

// KEYS index. Ends all that is in it; {"ok", how many of these were alive}.
inline constexpr std::string_view kRemoveOwned = R"lua(
local base = string.sub(KEYS[1], 1, -3)
local ended = 0
for _, member in ipairs(redis.call('ZRANGE', KEYS[1], 0, -1)) do
  local tag = string.sub(member, 1, 22)
  local record = base .. tag .. ':s'
  if redis.call('TYPE', record).ok == 'string' then
    local h, foreign = look(record, tag)
    if not foreign then
      if h.left > 0 then ended = ended + 1 end
      redis.call('UNLINK', record, base .. tag .. ':x')
      redis.call('PUBLISH', base .. tag .. ':e', '0')
    end
  end
end
redis.call('DEL', KEYS[1])
return {'ok', ended}
)lua";

// KEYS index. ARGV score to begin after or nothing, kind, limit, most bytes. {"ok", now, score to
// go on after or nothing, and for each record its id, what is left, its value}.
inline constexpr std::string_view kList = R"lua(
local from = ARGV[1] == '' and '-inf' or '(' .. ARGV[1]
local answer = {'ok', now, ''}
local base = string.sub(KEYS[1], 1, -3)
local limit, room, listed, last = tonumber(ARGV[3]), tonumber(ARGV[4]), 0, ''
while true do
  local page = redis.call('ZRANGEBYSCORE', KEYS[1], from, '+inf', 'WITHSCORES', 'LIMIT', 0, 100)
  if #page == 0 then return answer end
  for i = 1, #page, 2 do
    local member = page[i]
    from = '(' .. page[i + 1]
    local start = 26 + (tonumber(string.sub(member, 23, 25)) or 0)
    if string.sub(member, 26, start - 1) == ARGV[2] then
      local key = base .. string.sub(member, 1, 22) .. ':s'
      local value = redis.call('GET', key)
      if value then
        local left = (tonumber(string.sub(value, 43, 58)) or now + 1) - now
        if left > 0 then
          room = room - #value
          if listed == limit or (listed > 0 and room < 0) then
            answer[3] = last
            return answer
          end
          listed = listed + 1
          last = page[i + 1]
          table.insert(answer, member)
          table.insert(answer, left)
          table.insert(answer, value)
        end
      end
    end
  end
end
)lua";

// KEYS lock, its counter, record. ARGV tag, holder, lease. {"ok", token, left}, {"locked", 0,
// left}. The lock's value is holder|token|granted at. The token goes into the record in the same
// step, so that the last holder's writes are refused from now on.
inline constexpr std::string_view kLock = R"lua(
local held = redis.call('GET', KEYS[1])
if held then
  local left = redis.call('PTTL', KEYS[1]) + 1
  if string.sub(held, 1, 16) ~= ARGV[2] then return {'locked', 0, left} end
  return {'ok', tonumber(string.sub(held, 18, 33)), left}
end
local h, foreign = look(KEYS[3], ARGV[1])
if foreign then return {'corrupt'} end
local token = math.max(us, (tonumber(redis.call('GET', KEYS[2]) or '0') or 0) + 1)
redis.call('SET', KEYS[2], digits(token), 'PX', 86400000)
redis.call('SET', KEYS[1], ARGV[2] .. '|' .. digits(token) .. '|' .. digits(now),
           'PXAT', now + ARGV[3] - 1)
if h then redis.call('SETRANGE', KEYS[3], 98, digits(token)) end
return {'ok', token, tonumber(ARGV[3])}
)lua";

// KEYS lock. ARGV holder, lease, longest time to have it. {"ok", token, left}, {"lost"}.
inline constexpr std::string_view kExtend = R"lua(
local held = redis.call('GET', KEYS[1])
if not held or string.sub(held, 1, 16) ~= ARGV[1] then return {'lost'} end
local left = redis.call('PTTL', KEYS[1]) + 1
local most = tonumber(string.sub(held, 35, 50)) + ARGV[3] - now
local length = math.min(tonumber(ARGV[2]), most)
if length > left then
  redis.call('PEXPIREAT', KEYS[1], now + length - 1)
  left = length
end
return {'ok', tonumber(string.sub(held, 18, 33)), left}
)lua";

// KEYS lock. ARGV holder. {"ok"}, {"lost"}.
inline constexpr std::string_view kUnlock = R"lua(
local held = redis.call('GET', KEYS[1])
if not held or string.sub(held, 1, 16) ~= ARGV[1] then return {'lost'} end
redis.call('DEL', KEYS[1])
return {'ok'}
)lua";

// KEYS record, stream. ARGV tag, data, how many to keep, channel. {"ok", sequence}. Each entry says
// which was the first of the stream, so that a reader from the start knows whether some are gone.
inline constexpr std::string_view kAppend = R"lua(
local h, foreign = look(KEYS[1], ARGV[1])
if foreign then return {'corrupt'} end
if not h then return {'none'} end
if h.left <= 0 then return {'expired'} end
local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
local sequence, first = us, string.format('%.0f', us)
if newest then
  sequence = tonumber(string.match(newest[1], '^%d+')) + 1
  first = newest[2][4]
end
redis.call('XADD', KEYS[2], 'MAXLEN', '=', ARGV[3], string.format('%.0f-0', sequence),
           'd', ARGV[2], 'f', first)
if not newest then redis.call('PEXPIREAT', KEYS[2], goes_with(h.at)) end
redis.call('PUBLISH', ARGV[4], string.format('%.0f', sequence))
return {'ok', sequence}
)lua";

// KEYS record, stream, lock, [index]. ARGV tag, version, idle_ttl or 0, what is left of max_life or
// -1, remember, what is left until the end, fence, write id, checksum, kind size, kind and data,
// whether these have room for the header, member of the index, its score or nothing, most records
// of the owner or nothing for any number, "1" to move a record here: not over a live one, under a
// new version (else under this one: not over a higher version, and a live one of the same only gets
// the later end, the higher fence and the newer events), the first sequence there was in its
// stream, then sequence and data of the events, oldest first. {"ok", version, left, max_life left},
// {"exists"}, {"same", ..., value}, {"full"}, {"expired"} if there would be nothing even to
// remember.
inline constexpr std::string_view kImport = R"lua(
local h, foreign = look(KEYS[1], ARGV[1])
if foreign then return {'corrupt'} end
local version, fence = tonumber(ARGV[2]), ARGV[7]
local left, max_life = tonumber(ARGV[6]), tonumber(ARGV[4])
local at, index = now + left + ARGV[5] - 1, KEYS[4]
local function add_events(newest)
  local added = false
  for i = 18, #ARGV, 2 do
    if tonumber(ARGV[i]) > newest then
      redis.call('XADD', KEYS[2], 'MINID', '=', ARGV[18] .. '-0', ARGV[i] .. '-0',
                 'd', ARGV[i + 1], 'f', ARGV[17])
      added = true
    end
  end
  return added
end
if ARGV[16] == '1' then
  if h and h.left > 0 then
    if h.write_id == ARGV[8] then return whole('same', h, KEYS[1]) end
    return {'exists'}
  end
  version = math.max(us, version + 1, h and h.version + 1 or 0)
elseif h and h.version == version and h.left > 0 then
  local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  local added = add_events(newest and tonumber(string.match(newest[1], '^%d+')) or 0)
  if fence > h.fence then redis.call('SETRANGE', KEYS[1], 98, fence) end
  at = now + math.max(left, h.left) + h.remember - 1
  if left > h.left then
    redis.call('PEXPIREAT', KEYS[1], at)
    redis.call('SETRANGE', KEYS[1], 42, digits(now + left))
    hold_index(index, at)
  end
  if added or left > h.left then redis.call('PEXPIREAT', KEYS[2], goes_with(at)) end
  return {'exists'}
elseif h and (h.version > version or (h.version == version and left <= 0)) then
  return {'exists'}
end
local held = held_token(KEYS[3])
if held > fence then fence = held end
if index and ARGV[15] ~= '' and not has_room(index, tonumber(ARGV[15])) then return {'full'} end
if at < now then return {'expired'} end
local last = max_life >= 0 and digits(now + max_life) or NONE
write(KEYS[1], 'MS2|' .. ARGV[1] .. digits(version) .. digits(now + left) .. last ..
      string.format('%012.0f%012.0f', ARGV[3], ARGV[5]) .. fence .. ARGV[8] .. ARGV[9] ..
      ARGV[10] .. (ARGV[16] == '1' and 'M  ' or '   '), ARGV[11], ARGV[12], 'PXAT', at)
redis.call('DEL', KEYS[2])
if add_events(0) then redis.call('PEXPIREAT', KEYS[2], goes_with(at)) end
if index and ARGV[14] ~= '' then
  local score = tonumber(ARGV[14])
  while true do
    local there = redis.call('ZRANGEBYSCORE', index, score, score)[1]
    if not there or there == ARGV[13] then break end
    score = score + 1
  end
  redis.call('ZADD', index, string.format('%.0f', score), ARGV[13])
  hold_index(index, at)
elseif index then
  add_to_index(index, ARGV[13], at)
end
return {'ok', version, left, max_life}
)lua";

}  // namespace mcp_session::script

#endif  // MCP_SESSION_REDIS_SCRIPT_TEXTS_H_
