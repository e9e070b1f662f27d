# delta.t -- what desired wants and reported lacks.

= a wish without a report is the delta
update {"state":{"desired":{"led":"on"}}}
delta {"version":1,"timestamp":100,"state":{"led":"on"},"metadata":{"led":{"timestamp":100}}}
accepted {"state":{"desired":{"led":"on"}},"metadata":{"desired":{"led":{"timestamp":100}}},"version":1,"timestamp":100}

= a report that fulfils the wish ends the delta
stored {"state":{"desired":{"led":"on"}},"metadata":{"desired":{"led":{"timestamp":1}}},"version":1}
update {"state":{"reported":{"led":"on"}}}
accepted.version 2
delta none

= a report that differs brings the delta again
stored {"state":{"desired":{"online":true}},"metadata":{"desired":{"online":{"timestamp":1}}},"version":1}
update {"state":{"reported":{"online":false}}}
delta {"version":2,"timestamp":100,"state":{"online":true},"metadata":{"online":{"timestamp":1}}}
accepted.version 2

= a report of something else leaves the delta
stored {"state":{"desired":{"enabled":true}},"metadata":{"desired":{"enabled":{"timestamp":1}}},"version":1}
update {"state":{"reported":{"online":true}}}
delta.state {"enabled":true}
accepted.version 2

= a report of more than the wish is no delta
stored {"state":{"desired":{"enabled":true}},"metadata":{"desired":{"enabled":{"timestamp":1}}},"version":1}
update {"state":{"reported":{"online":false,"enabled":true}}}
accepted.version 2
delta none

= keys only in reported are never in the delta
stored {"state":{"reported":{"a":1,"b":2}},"metadata":{"reported":{"a":{"timestamp":1},"b":{"timestamp":1}}},"version":1}
update {"state":{"desired":{"c":3}}}
delta.state {"c":3}
accepted.version 2

= a report alone has no delta
update {"state":{"reported":{"online":false}}}
accepted.version 1
delta none

= nested objects give the path from the root and no siblings
stored {"state":{"reported":{"a":{"b":{"c":"d","e":"f"}}}},"metadata":{"reported":{"a":{"b":{"c":{"timestamp":1},"e":{"timestamp":1}}}}},"version":1}
update {"state":{"desired":{"a":{"b":{"c":"d2"}}}}}
delta {"version":2,"timestamp":100,"state":{"a":{"b":{"c":"d2"}}},"metadata":{"a":{"b":{"c":{"timestamp":100}}}}}
accepted.version 2

= an object that reported lacks is wholly in the delta
stored {"state":{"reported":{"a1":{"b1":{"c":"d"}}}},"metadata":{"reported":{"a1":{"b1":{"c":{"timestamp":1}}}}},"version":1}
update {"state":{"desired":{"a1":{"b1":{"c":"d"}},"a2":{"b2":"sth"}}}}
delta.state {"a2":{"b2":"sth"}}
delta.metadata {"a2":{"b2":{"timestamp":100}}}
accepted.version 2

= a key that a reported object lacks is in the delta
stored {"state":{"reported":{"a":{"b1":{"c":"d"}}}},"metadata":{"reported":{"a":{"b1":{"c":{"timestamp":1}}}}},"version":1}
update {"state":{"desired":{"a":{"b1":{"c":"d"},"b2":"sth"}}}}
delta.state {"a":{"b2":"sth"}}
accepted.version 2

= unequal arrays copy the whole desired array
stored {"state":{"reported":{"list":["value_1","value_2"]}},"metadata":{"reported":{"list":[{"timestamp":1},{"timestamp":1}]}},"version":1}
update {"state":{"desired":{"list":["value_1","value_3"]}}}
delta {"version":2,"timestamp":100,"state":{"list":["value_1","value_3"]},"metadata":{"list":[{"timestamp":100},{"timestamp":100}]}}
accepted.version 2

= a shorter array differs
stored {"state":{"reported":{"list":["value_1","value_2"]}},"metadata":{"reported":{"list":[{"timestamp":1},{"timestamp":1}]}},"version":1}
update {"state":{"desired":{"list":["value_1"]}}}
delta.state {"list":["value_1"]}
accepted.version 2

= arrays differ by order
stored {"state":{"reported":{"list":[1,2]}},"metadata":{"reported":{"list":[{"timestamp":1},{"timestamp":1}]}},"version":1}
update {"state":{"desired":{"list":[2,1]}}}
delta.state {"list":[2,1]}
accepted.version 2

= equal arrays are no delta
stored {"state":{"reported":{"list":[1,{"a":1,"b":2}]}},"metadata":{"reported":{"list":[{"timestamp":1},{"a":{"timestamp":1},"b":{"timestamp":1}}]}},"version":1}
update {"state":{"desired":{"list":[1.0,{"b":2,"a":1}]}}}
accepted.version 2
delta none

= nested arrays are copied whole
stored {"state":{"reported":{"list":[["value_1"],["value_2"]]}},"metadata":{"reported":{"list":[[{"timestamp":1}],[{"timestamp":1}]]}},"version":1}
update {"state":{"desired":{"list":[["value_1"]]}}}
delta.state {"list":[["value_1"]]}
delta.metadata {"list":[[{"timestamp":100}]]}
accepted.version 2

= an array below an object is found by its path
stored {"state":{"reported":{"a":{"b":["d"]}}},"metadata":{"reported":{"a":{"b":[{"timestamp":1}]}}},"version":1}
update {"state":{"desired":{"a":{"b":["c","d"]}}}}
delta.state {"a":{"b":["c","d"]}}
accepted.version 2

= numbers compare by value
stored {"state":{"reported":{"a":1,"b":100,"c":0.5}},"metadata":{"reported":{"a":{"timestamp":1},"b":{"timestamp":1},"c":{"timestamp":1}}},"version":1}
update {"state":{"desired":{"a":1.0,"b":1e2,"c":5e-1}}}
accepted.version 2
delta none

= large integers that one double cannot tell apart differ
stored {"state":{"reported":{"a":9007199254740992}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":1}
update {"state":{"desired":{"a":9007199254740993}}}
delta.state {"a":9007199254740993}
accepted.version 2

= a number and its text differ
stored {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":1}
update {"state":{"desired":{"a":"1"}}}
delta.state {"a":"1"}
accepted.version 2

= true and 1 differ
stored {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":1}
update {"state":{"desired":{"a":true}}}
delta.state {"a":true}
accepted.version 2

= an object differs from a scalar
stored {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":1}
update {"state":{"desired":{"a":{"b":1}}}}
delta.state {"a":{"b":1}}
delta.metadata {"a":{"b":{"timestamp":100}}}
accepted.version 2

= a scalar differs from an object
stored {"state":{"reported":{"a":{"b":1}}},"metadata":{"reported":{"a":{"b":{"timestamp":1}}}},"version":1}
update {"state":{"desired":{"a":1}}}
delta.state {"a":1}
accepted.version 2

= an empty object is fulfilled by any object
stored {"state":{"reported":{"a":{"b":1}}},"metadata":{"reported":{"a":{"b":{"timestamp":1}}}},"version":1}
update {"state":{"desired":{"a":{}}}}
accepted.version 2
delta none

= delta metadata is desired's, not the time of the request
stored {"state":{"desired":{"a":1,"b":2},"reported":{"a":1}},"metadata":{"desired":{"a":{"timestamp":7},"b":{"timestamp":8}},"reported":{"a":{"timestamp":9}}},"version":1}
update {"state":{"reported":{"a":5}}}
delta {"version":2,"timestamp":100,"state":{"a":1,"b":2},"metadata":{"a":{"timestamp":7},"b":{"timestamp":8}}}
accepted.version 2

= the delta is whole, not only what this request changed
stored {"state":{"desired":{"a":1,"b":2}},"metadata":{"desired":{"a":{"timestamp":1},"b":{"timestamp":1}}},"version":1}
update {"state":{"desired":{"c":3}}}
delta.state {"a":1,"b":2,"c":3}
delta.metadata {"a":{"timestamp":1},"b":{"timestamp":1},"c":{"timestamp":100}}
accepted.version 2

= withdrawing the wish ends the delta
stored {"state":{"desired":{"a":1},"reported":{"a":2}},"metadata":{"desired":{"a":{"timestamp":1}},"reported":{"a":{"timestamp":1}}},"version":1}
update {"state":{"desired":null}}
accepted.version 2
delta none

= forgetting the report brings the delta back
stored {"state":{"desired":{"a":1},"reported":{"a":1}},"metadata":{"desired":{"a":{"timestamp":1}},"reported":{"a":{"timestamp":1}}},"version":1}
update {"state":{"reported":null}}
delta.state {"a":1}
accepted.version 2

= an update that changes nothing repeats the delta
stored {"state":{"desired":{"a":1}},"metadata":{"desired":{"a":{"timestamp":1}}},"version":1}
update {"state":{}}
delta {"version":2,"timestamp":100,"state":{"a":1},"metadata":{"a":{"timestamp":1}}}
accepted.version 2

= many keys are compared in any order
stored {"state":{"reported":{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,"o":1,"p":1,"q":1,"r":1}},"metadata":{},"version":1}
update {"state":{"desired":{"r":1,"q":1,"p":2,"o":1,"n":1,"m":1,"l":1,"k":1,"j":1,"i":1,"h":2,"g":1,"f":1,"e":1,"d":1,"c":1,"b":1,"a":1,"z":1}}}
delta.state {"p":2,"h":2,"z":1}
delta.metadata {"p":{"timestamp":100},"h":{"timestamp":100},"z":{"timestamp":100}}
accepted.version 2
