# get.t -- reading and deleting.

= get answers the whole document
stored {"state":{"desired":{"a":1},"reported":{"a":1,"b":2}},"metadata":{"desired":{"a":{"timestamp":1}},"reported":{"a":{"timestamp":2},"b":{"timestamp":3}}},"version":9}
get
accepted {"state":{"desired":{"a":1},"reported":{"a":1,"b":2}},"metadata":{"desired":{"a":{"timestamp":1}},"reported":{"a":{"timestamp":2},"b":{"timestamp":3}}},"version":9,"timestamp":100}

= get shows the delta when there is one
stored {"state":{"desired":{"a":1,"c":2},"reported":{"a":1}},"metadata":{"desired":{"a":{"timestamp":1},"c":{"timestamp":1}},"reported":{"a":{"timestamp":2}}},"version":9}
get
accepted.state {"desired":{"a":1,"c":2},"reported":{"a":1},"delta":{"c":2}}
accepted.metadata {"desired":{"a":{"timestamp":1},"c":{"timestamp":1}},"reported":{"a":{"timestamp":2}}}

= get shows the delta of a shadow without a report
stored {"state":{"desired":{"led":"on"}},"metadata":{"desired":{"led":{"timestamp":1}}},"version":1}
get
accepted.state {"desired":{"led":"on"},"delta":{"led":"on"}}

= get echoes the clientToken
stored {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":1}
get {"clientToken":"abc"}
accepted {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":1,"timestamp":100,"clientToken":"abc"}

= get ignores whatever else a request holds
stored {"state":{},"metadata":{},"version":1}
get {"message":"Hello"}
accepted {"state":{},"metadata":{},"version":1,"timestamp":100}

= get of a large integer shows its digits
stored {"state":{"reported":{"a":9223372036854775807}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":1}
get
accepted.state.reported {"a":9223372036854775807}

= get of a shadow that does not exist is refused
get
rejected {"code":404,"message":"No shadow exists with name: 'lamp'","timestamp":100}

= get of a named shadow that does not exist is refused with both names
name lamp~config
get {"clientToken":"t-1"}
rejected {"code":404,"message":"No shadow exists with name: 'lamp~config'","timestamp":100,"clientToken":"t-1"}

= get of a deleted shadow is refused
stored {"version":12,"deletedAt":90}
get
rejected.code 404

= get with malformed JSON is refused
stored {"state":{},"metadata":{},"version":1}
get {"clientToken":
rejected {"code":400,"message":"Invalid JSON","timestamp":100}

= get with JSON that is no object holds no clientToken
stored {"state":{},"metadata":{},"version":1}
get [1]
accepted {"state":{},"metadata":{},"version":1,"timestamp":100}

= get with bytes that are not UTF-8 is refused
stored {"state":{},"metadata":{},"version":1}
get "ÿ"
rejected.code 415

= get with a clientToken of 65 bytes is refused
stored {"state":{},"metadata":{},"version":1}
get {"clientToken":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}
rejected.message "Invalid clientToken"

= get with a bad clientToken is refused
stored {"state":{},"metadata":{},"version":1}
get {"clientToken":7}
rejected {"code":400,"message":"Invalid clientToken","timestamp":100}

= delete answers the version that was deleted and keeps it in a tombstone
stored {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":12}
delete
accepted {"version":12,"timestamp":100}
next {"version":12,"deletedAt":100}

= delete echoes the clientToken
stored {"state":{},"metadata":{},"version":1}
delete {"clientToken":"bye"}
accepted {"version":1,"timestamp":100,"clientToken":"bye"}

= delete ignores a body that is no JSON
stored {"state":{},"metadata":{},"version":1}
delete now!
accepted {"version":1,"timestamp":100}

= delete ignores a bad clientToken
stored {"state":{},"metadata":{},"version":1}
delete {"clientToken":[]}
accepted {"version":1,"timestamp":100}

= delete ignores a version
stored {"state":{},"metadata":{},"version":3}
delete {"version":2}
accepted.version 3

= delete of a shadow that does not exist is refused
delete {"clientToken":"bye"}
rejected {"code":404,"message":"No shadow exists with name: 'lamp'","timestamp":100,"clientToken":"bye"}

= delete of a deleted shadow is refused
stored {"version":12,"deletedAt":90}
delete
rejected.code 404
