# metadata.t -- when each value was written.

= a value that is written again unchanged gets a new timestamp
stored {"state":{"reported":{"a":1,"b":2}},"metadata":{"reported":{"a":{"timestamp":1},"b":{"timestamp":2}}},"version":1}
update {"state":{"reported":{"a":1}}}
next.metadata.reported {"a":{"timestamp":100},"b":{"timestamp":2}}
accepted.metadata {"reported":{"a":{"timestamp":100}}}

= timestamps are whole seconds
update {"state":{"reported":{"a":1}}}
accepted.timestamp 100
next.metadata.reported.a.timestamp 100

= each element of an array has its timestamp
update {"state":{"reported":{"l":[1,"two",true]}}}
next.metadata.reported {"l":[{"timestamp":100},{"timestamp":100},{"timestamp":100}]}
accepted.metadata.reported {"l":[{"timestamp":100},{"timestamp":100},{"timestamp":100}]}

= arrays of arrays and objects keep their shape
update {"state":{"reported":{"l":[[1,[2]],{"a":[3]},[],{}]}}}
next.metadata.reported {"l":[[{"timestamp":100},[{"timestamp":100}]],{"a":[{"timestamp":100}]},[],{}]}
accepted.version 1

= an untouched array keeps its timestamps
stored {"state":{"reported":{"l":[1,2]}},"metadata":{"reported":{"l":[{"timestamp":1},{"timestamp":2}]}},"version":1}
update {"state":{"reported":{"a":1}}}
next.metadata.reported {"l":[{"timestamp":1},{"timestamp":2}],"a":{"timestamp":100}}
accepted.metadata {"reported":{"a":{"timestamp":100}}}

= the accepted document has metadata for the request's keys only
stored {"state":{"desired":{"a":1},"reported":{"a":1}},"metadata":{"desired":{"a":{"timestamp":1}},"reported":{"a":{"timestamp":2}}},"version":3}
update {"state":{"reported":{"b":{"c":2}}}}
accepted {"state":{"reported":{"b":{"c":2}}},"metadata":{"reported":{"b":{"c":{"timestamp":100}}}},"version":4,"timestamp":100}

= metadata does not count as size
limits 17 6
update {"state":{"reported":{"a":1,"b":2}}}
next.metadata.reported {"a":{"timestamp":100},"b":{"timestamp":100}}
accepted.version 1

= metadata that stands in another order than the state is found all the same
stored {"state":{"reported":{"a":1,"b":2,"c":3}},"metadata":{"reported":{"c":{"timestamp":3},"a":{"timestamp":1},"b":{"timestamp":2}}},"version":1}
update {"state":{"reported":{"d":4}}}
next.metadata.reported {"a":{"timestamp":1},"b":{"timestamp":2},"c":{"timestamp":3},"d":{"timestamp":100}}
accepted.version 2
