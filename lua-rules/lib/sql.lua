-- sql.value("upper(name)", m): an expression of AWS IoT SQL on the message; nil when it is undefined.
local base = ...

return { value = base.sql_value }
