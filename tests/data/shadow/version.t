# version.t -- the count, and optimistic locking with it.

= every accepted update adds one
stored {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":41}
update {"state":{"reported":{"a":2}}}
next.version 42
accepted.version 42
documents.previous.version 41
documents.current.version 42

= an update that changes nothing adds one too
stored {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":41}
update {"state":{"reported":{"a":1}}}
next.version 42
accepted.version 42

= the stored version is accepted
stored {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":41}
update {"state":{"reported":{"a":2}},"version":41}
accepted.version 42

= an older version conflicts
stored {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":41}
update {"state":{"reported":{"a":2}},"version":40}
rejected {"code":409,"message":"Version conflict","timestamp":100}

= a newer version conflicts
stored {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":41}
update {"state":{"reported":{"a":2}},"version":42,"clientToken":"t"}
rejected {"code":409,"message":"Version conflict","timestamp":100,"clientToken":"t"}

= a version for a shadow that does not exist conflicts
update {"state":{"reported":{"a":2}},"version":1}
rejected {"code":409,"message":"Version conflict","timestamp":100}

= version 0 is that of a shadow that does not exist
update {"state":{"reported":{"a":2}},"version":0}
accepted.version 1

= version 0 of a shadow that exists conflicts
stored {"state":{},"metadata":{},"version":1}
update {"state":{"reported":{"a":2}},"version":0}
rejected.code 409

= a version may be written as any integer literal
stored {"state":{},"metadata":{},"version":10}
update {"state":{},"version":1e1}
accepted.version 11

= a version that is text is invalid
stored {"state":{},"metadata":{},"version":1}
update {"state":{},"version":"1"}
rejected {"code":400,"message":"Invalid version","timestamp":100}

= a version that is a fraction is invalid
update {"state":{},"version":1.5}
rejected.message "Invalid version"

= a negative version is invalid
update {"state":{},"version":-1}
rejected.message "Invalid version"

= a null version is invalid
update {"state":{},"version":null}
rejected.message "Invalid version"

= a version beyond 2^63 is invalid
update {"state":{},"version":9223372036854775808}
rejected.message "Invalid version"

= a large version that differs in its last digit conflicts
stored {"state":{},"metadata":{},"version":9007199254740992}
update {"state":{},"version":9007199254740993}
rejected.message "Version conflict"

= the count goes on after a delete
stored {"version":12,"deletedAt":90}
update {"state":{"reported":{"a":1}}}
next {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":100}}},"version":13}
accepted {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":100}}},"version":13,"timestamp":100}
documents.previous {"state":{},"metadata":{},"version":12}

= after a delete the last version is the current one
stored {"version":12,"deletedAt":90}
update {"state":{"reported":{"a":1}},"version":12}
accepted.version 13

= after a delete another version conflicts
stored {"version":12,"deletedAt":90}
update {"state":{"reported":{"a":1}},"version":0}
rejected.message "Version conflict"
