# null.t -- null deletes; what is empty.

= a null deletes the key and its metadata
stored {"state":{"reported":{"a":1,"b":2}},"metadata":{"reported":{"a":{"timestamp":1},"b":{"timestamp":2}}},"version":4}
update {"state":{"reported":{"a":null}}}
next {"state":{"reported":{"b":2}},"metadata":{"reported":{"b":{"timestamp":2}}},"version":5}
accepted {"state":{"reported":{"a":null}},"metadata":{"reported":{"a":{"timestamp":100}}},"version":5,"timestamp":100}

= a null deletes a nested key
stored {"state":{"reported":{"a":{"b":1,"c":2}}},"metadata":{"reported":{"a":{"b":{"timestamp":1},"c":{"timestamp":1}}}},"version":1}
update {"state":{"reported":{"a":{"b":null}}}}
next.state.reported {"a":{"c":2}}
next.metadata.reported {"a":{"c":{"timestamp":1}}}
accepted.state.reported {"a":{"b":null}}

= a null deletes a whole object
stored {"state":{"reported":{"a":{"b":1},"c":2}},"metadata":{"reported":{"a":{"b":{"timestamp":1}},"c":{"timestamp":1}}},"version":1}
update {"state":{"reported":{"a":null}}}
next.state.reported {"c":2}
next.metadata.reported {"c":{"timestamp":1}}
accepted.version 2

= a null for a key that is not there changes nothing but the version
stored {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":1}
update {"state":{"reported":{"z":null}}}
next {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":2}
accepted.version 2

= an object that loses its last key stays, empty
stored {"state":{"reported":{"a":{"b":1}}},"metadata":{"reported":{"a":{"b":{"timestamp":1}}}},"version":1}
update {"state":{"reported":{"a":{"b":null}}}}
next.state {"reported":{"a":{}}}
next.metadata {"reported":{"a":{}}}
accepted.version 2

= a section that loses its last key disappears
stored {"state":{"desired":{"a":1},"reported":{"a":1}},"metadata":{"desired":{"a":{"timestamp":1}},"reported":{"a":{"timestamp":1}}},"version":1}
update {"state":{"desired":{"a":null}}}
next {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":2}
accepted.version 2

= a null for the section deletes it
stored {"state":{"desired":{"a":1},"reported":{"b":1}},"metadata":{"desired":{"a":{"timestamp":1}},"reported":{"b":{"timestamp":1}}},"version":1}
update {"state":{"desired":null}}
next {"state":{"reported":{"b":1}},"metadata":{"reported":{"b":{"timestamp":1}}},"version":2}
accepted {"state":{"desired":null},"metadata":{"desired":{"timestamp":100}},"version":2,"timestamp":100}

= nulls for both sections leave an empty shadow
stored {"state":{"desired":{"a":1},"reported":{"b":1}},"metadata":{"desired":{"a":{"timestamp":1}},"reported":{"b":{"timestamp":1}}},"version":1}
update {"state":{"desired":null,"reported":null}}
next {"state":{},"metadata":{},"version":2}
accepted.state {"desired":null,"reported":null}

= a section can be deleted while the other is written
stored {"state":{"desired":{"a":1}},"metadata":{"desired":{"a":{"timestamp":1}}},"version":7}
update {"state":{"desired":null,"reported":{"a":1}}}
next {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":100}}},"version":8}
accepted {"state":{"desired":null,"reported":{"a":1}},"metadata":{"desired":{"timestamp":100},"reported":{"a":{"timestamp":100}}},"version":8,"timestamp":100}

= a null for a section that is not there is accepted
update {"state":{"desired":null}}
next {"state":{},"metadata":{},"version":1}
accepted.version 1

= a null for the state creates an empty shadow
update {"state":null}
next {"state":{},"metadata":{},"version":1}
accepted {"state":null,"metadata":{"timestamp":100},"version":1,"timestamp":100}

= a null for the state clears the shadow
stored {"state":{"desired":{"a":1},"reported":{"b":1}},"metadata":{"desired":{"a":{"timestamp":1}},"reported":{"b":{"timestamp":1}}},"version":2}
update {"state":null}
next {"state":{},"metadata":{},"version":3}
accepted {"state":null,"metadata":{"timestamp":100},"version":3,"timestamp":100}
documents {"previous":{"state":{"desired":{"a":1},"reported":{"b":1}},"metadata":{"desired":{"a":{"timestamp":1}},"reported":{"b":{"timestamp":1}}},"version":2},"current":{"state":{},"metadata":{},"version":3},"timestamp":100}

= a shadow that was cleared is still there
stored {"state":{},"metadata":{},"version":3}
get
accepted {"state":{},"metadata":{},"version":3,"timestamp":100}

= a shadow that was cleared can be written again
stored {"state":{},"metadata":{},"version":3}
update {"state":{"reported":{"a":1}}}
next {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":100}}},"version":4}
accepted.version 4

= an empty state is accepted and adds one to the version
stored {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":1}
update {"state":{}}
next {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":2}
accepted {"state":{},"metadata":{},"version":2,"timestamp":100}

= an empty state creates an empty shadow
update {"state":{}}
next {"state":{},"metadata":{},"version":1}
accepted {"state":{},"metadata":{},"version":1,"timestamp":100}

= an empty section is accepted and not stored
update {"state":{"desired":{},"reported":{}}}
next {"state":{},"metadata":{},"version":1}
accepted {"state":{"desired":{},"reported":{}},"metadata":{"desired":{},"reported":{}},"version":1,"timestamp":100}

= an empty section deletes nothing
stored {"state":{"desired":{"a":1},"reported":{"a":1}},"metadata":{"desired":{"a":{"timestamp":1}},"reported":{"a":{"timestamp":1}}},"version":1}
update {"state":{"reported":{}}}
next.state {"desired":{"a":1},"reported":{"a":1}}
accepted.version 2

= a null on an empty shadow leaves it empty
update {"state":{"reported":{"online":null}}}
next {"state":{},"metadata":{},"version":1}
accepted {"state":{"reported":{"online":null}},"metadata":{"reported":{"online":{"timestamp":100}}},"version":1,"timestamp":100}

= a null inside a new object is not stored
update {"state":{"reported":{"a":{"b":null,"c":1}}}}
next.state.reported {"a":{"c":1}}
next.metadata.reported {"a":{"c":{"timestamp":100}}}
accepted.state.reported {"a":{"b":null,"c":1}}

= a new object of nulls is stored empty
update {"state":{"reported":{"a":{"b":null}}}}
next.state.reported {"a":{}}
next.metadata.reported {"a":{}}
accepted.version 1

= a null inside an object inside an array is not stored
update {"state":{"reported":{"l":[{"a":null,"b":1}]}}}
next.state.reported {"l":[{"b":1}]}
next.metadata.reported {"l":[{"b":{"timestamp":100}}]}
accepted.state.reported {"l":[{"a":null,"b":1}]}

= an empty object nested in desired is stored and shows in delta
update {"state":{"desired":{"d":{}}}}
next.state {"desired":{"d":{}}}
delta {"version":1,"timestamp":100,"state":{"d":{}},"metadata":{"d":{}}}
accepted.metadata.desired {"d":{}}
