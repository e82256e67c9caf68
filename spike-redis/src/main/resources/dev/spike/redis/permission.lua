-- The error of a command that this user may not run; nil: it may. Included by the scripts that run it only after their first
-- write: found out there, it would leave half of what they do.
local function refused(command, ...)
  if not redis.acl_check_cmd(command, ...) then
    return redis.error_reply("NOPERM this user has no permissions to run the '" .. string.lower(command) .. "' command")
  end
end
