-- Read the stream of a task after a position: what follows it without a hole, or else the newest message.
--
-- KEYS[1], KEYS[2]  as in append_progress.lua
-- ARGV[1]  the epoch and ARGV[2] the number after which to read; any other epoch for the newest message alone
--
-- Returns false if there is no stream, else {follows, ended, message, ...}, oldest first: follows is '1' if the
-- messages follow the position, and ended if the last message of the stream is final.
local found = redis.call('HMGET', KEYS[1], 'epoch', 'seq', 'ended')
if not found[1] then
    return false
end

local after, last, ended = tonumber(ARGV[2]), tonumber(found[2]), found[3] or '0'
if found[1] == ARGV[1] and after == last then
    return {'1', ended}
end
if found[1] == ARGV[1] and after < last then
    local first = string.format('%d', after + 1) .. '-0'
    local entries = redis.call('XRANGE', KEYS[2], first, '+')
    if entries[1] and entries[1][1] == first then
        local answer = {'1', ended}
        for _, entry in ipairs(entries) do
            table.insert(answer, entry[2][2])
        end
        return answer
    end
end

local newest = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)
if not newest[1] then
    return false
end
return {'0', ended, newest[1][2][2]}
