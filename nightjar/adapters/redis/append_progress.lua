-- Append an event to the stream of a task and announce it, in one step.
--
-- KEYS[1]  hash: epoch, seq, ended, and the sender and number of the last event
-- KEYS[2]  stream: entry `<seq>-0` holds the whole message of that number
-- ARGV[1]  the event, a JSON object without its position
-- ARGV[2]  the epoch to begin if there is no stream
-- ARGV[3]  '1' if the event is final
-- ARGV[4]  the sender, ARGV[5] its number of this event: what was sent twice is stored once
-- ARGV[6]  a condition: '' none, else append only after the position `<epoch>:<seq>`, or `:0`, where there is no stream
-- ARGV[7]  entries to keep, ARGV[8] seconds to keep them, ARGV[9] the channel
--
-- Returns the whole message; '' if nothing was appended. It is deterministic, so replicas may run it again.
local found = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'ended', 'sender', 'number')
local epoch, seq = found[1] or '', tonumber(found[2] or '0')

if found[4] and found[4] == ARGV[4] and tonumber(found[5]) >= tonumber(ARGV[5]) then
    local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
    return last[1] and last[1][2][2] or ''
end
if found[3] then
    return ''  -- a final state never changes
end
if ARGV[6] ~= '' and ARGV[6] ~= epoch .. ':' .. string.format('%d', seq) then
    return ''
end

if epoch == '' then
    epoch = ARGV[2]
    redis.call('DEL', KEYS[2])
end
seq = string.format('%d', seq + 1)
local message = '{"epoch":"' .. epoch .. '","seq":' .. seq .. ',' .. string.sub(ARGV[1], 2)
redis.call('HSET', KEYS[1], 'epoch', epoch, 'seq', seq, 'sender', ARGV[4], 'number', ARGV[5])
if ARGV[3] == '1' then
    redis.call('HSET', KEYS[1], 'ended', '1')
end
redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[7], seq .. '-0', 'message', message)
redis.call('EXPIRE', KEYS[1], ARGV[8])
redis.call('EXPIRE', KEYS[2], ARGV[8])
redis.call('PUBLISH', ARGV[9], message)
return message
