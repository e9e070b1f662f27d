# merge.t -- what an update makes of the stored document.

= the first update creates the shadow with version 1
update {"state":{"reported":{"on":true}}}
next {"state":{"reported":{"on":true}},"metadata":{"reported":{"on":{"timestamp":100}}},"version":1}
accepted {"state":{"reported":{"on":true}},"metadata":{"reported":{"on":{"timestamp":100}}},"version":1,"timestamp":100}
documents {"previous":{"state":{},"metadata":{},"version":0},"current":{"state":{"reported":{"on":true}},"metadata":{"reported":{"on":{"timestamp":100}}},"version":1},"timestamp":100}

= both sections can be updated at once
update {"state":{"desired":{"a":1},"reported":{"a":1}}}
next.state {"desired":{"a":1},"reported":{"a":1}}
accepted.state {"desired":{"a":1},"reported":{"a":1}}

= sections are stored with desired first whatever the order of the request
update {"state":{"reported":{"a":1},"desired":{"a":1}}}
next.state {"desired":{"a":1},"reported":{"a":1}}
accepted.state {"reported":{"a":1},"desired":{"a":1}}

= a new key joins the others
stored {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":4}
update {"state":{"reported":{"b":2}}}
next {"state":{"reported":{"a":1,"b":2}},"metadata":{"reported":{"a":{"timestamp":1},"b":{"timestamp":100}}},"version":5}
accepted {"state":{"reported":{"b":2}},"metadata":{"reported":{"b":{"timestamp":100}}},"version":5,"timestamp":100}

= a scalar replaces a scalar in its place
stored {"state":{"reported":{"a":1,"b":2,"c":3}},"metadata":{"reported":{"a":{"timestamp":1},"b":{"timestamp":2},"c":{"timestamp":3}}},"version":4}
update {"state":{"reported":{"b":"two"}}}
next.state.reported {"a":1,"b":"two","c":3}
next.metadata.reported {"a":{"timestamp":1},"b":{"timestamp":100},"c":{"timestamp":3}}
accepted.version 5

= objects merge key by key at every level
stored {"state":{"reported":{"a":{"b":{"c":1,"d":2},"e":3}}},"metadata":{"reported":{"a":{"b":{"c":{"timestamp":1},"d":{"timestamp":2}},"e":{"timestamp":3}}}},"version":1}
update {"state":{"reported":{"a":{"b":{"d":4,"f":5}}}}}
next.state.reported {"a":{"b":{"c":1,"d":4,"f":5},"e":3}}
next.metadata.reported {"a":{"b":{"c":{"timestamp":1},"d":{"timestamp":100},"f":{"timestamp":100}},"e":{"timestamp":3}}}
accepted.state.reported {"a":{"b":{"d":4,"f":5}}}

= a section that the request does not name stays as it is
stored {"state":{"desired":{"a":1},"reported":{"a":1}},"metadata":{"desired":{"a":{"timestamp":1}},"reported":{"a":{"timestamp":2}}},"version":2}
update {"state":{"reported":{"b":1}}}
next.state.desired {"a":1}
next.metadata.desired {"a":{"timestamp":1}}
accepted.state {"reported":{"b":1}}

= an array replaces the whole array
stored {"state":{"reported":{"l":[1,2,3]}},"metadata":{"reported":{"l":[{"timestamp":1},{"timestamp":1},{"timestamp":1}]}},"version":1}
update {"state":{"reported":{"l":[4]}}}
next.state.reported {"l":[4]}
next.metadata.reported {"l":[{"timestamp":100}]}
accepted.version 2

= an array replaces an object
stored {"state":{"reported":{"l":{"a":1}}},"metadata":{"reported":{"l":{"a":{"timestamp":1}}}},"version":1}
update {"state":{"reported":{"l":[{"a":2}]}}}
next.state.reported {"l":[{"a":2}]}
next.metadata.reported {"l":[{"a":{"timestamp":100}}]}
accepted.version 2

= an object replaces an array
stored {"state":{"reported":{"l":[1]}},"metadata":{"reported":{"l":[{"timestamp":1}]}},"version":1}
update {"state":{"reported":{"l":{"a":1}}}}
next.state.reported {"l":{"a":1}}
next.metadata.reported {"l":{"a":{"timestamp":100}}}
accepted.version 2

= an object replaces a scalar
stored {"state":{"reported":{"a":1,"b":{"c":3}}},"metadata":{"reported":{"a":{"timestamp":1},"b":{"c":{"timestamp":1}}}},"version":1}
update {"state":{"reported":{"a":1,"b":{"c":{"d":3}}}}}
next.state.reported {"a":1,"b":{"c":{"d":3}}}
next.metadata.reported {"a":{"timestamp":100},"b":{"c":{"d":{"timestamp":100}}}}
accepted.version 2

= an empty object replaces a scalar
stored {"state":{"reported":{"a":1,"b":{"c":3},"d":{}}},"metadata":{"reported":{"a":{"timestamp":1},"b":{"c":{"timestamp":1}},"d":{}}},"version":1}
update {"state":{"reported":{"a":1,"b":{"c":{}},"d":{}}}}
next.state.reported {"a":1,"b":{"c":{}},"d":{}}
next.metadata.reported {"a":{"timestamp":100},"b":{"c":{}},"d":{}}
accepted.version 2

= a scalar replaces an object
stored {"state":{"reported":{"a":{"b":1}}},"metadata":{"reported":{"a":{"b":{"timestamp":1}}}},"version":1}
update {"state":{"reported":{"a":0}}}
next.state.reported {"a":0}
next.metadata.reported {"a":{"timestamp":100}}
accepted.version 2

= an empty object adds a key and takes none away
stored {"state":{"reported":{"a":{"b":1}}},"metadata":{"reported":{"a":{"b":{"timestamp":1}}}},"version":1}
update {"state":{"reported":{"a":{},"z":{}}}}
next.state.reported {"a":{"b":1},"z":{}}
next.metadata.reported {"a":{"b":{"timestamp":1}},"z":{}}
accepted.state.reported {"a":{},"z":{}}
accepted.metadata.reported {"a":{},"z":{}}

= a value of every type keeps it
update {"state":{"reported":{"t":true,"f":false,"s":"","i":-1,"d":0.5,"o":{},"l":[]}}}
next.state.reported {"t":true,"f":false,"s":"","i":-1,"d":0.5,"o":{},"l":[]}
next.metadata.reported {"t":{"timestamp":100},"f":{"timestamp":100},"s":{"timestamp":100},"i":{"timestamp":100},"d":{"timestamp":100},"o":{},"l":[]}
accepted.version 1

= an integer up to 2^63 and beyond keeps its digits
update {"state":{"reported":{"a":9223372036854775807,"b":9007199254740993,"c":18446744073709551616,"d":-9223372036854775808}}}
next.state.reported {"a":9223372036854775807,"b":9007199254740993,"c":18446744073709551616,"d":-9223372036854775808}
accepted.state.reported {"a":9223372036854775807,"b":9007199254740993,"c":18446744073709551616,"d":-9223372036854775808}
documents.current.state.reported {"a":9223372036854775807,"b":9007199254740993,"c":18446744073709551616,"d":-9223372036854775808}

= a large integer that nobody touches keeps its digits
stored {"state":{"reported":{"a":9223372036854775807}},"metadata":{"reported":{"a":{"timestamp":1}}},"version":1}
update {"state":{"reported":{"b":1}}}
next.state.reported {"a":9223372036854775807,"b":1}
accepted.version 2

= keys differ by case
stored {"state":{"reported":{"Led":1}},"metadata":{"reported":{"Led":{"timestamp":1}}},"version":1}
update {"state":{"reported":{"led":2}}}
next.state.reported {"Led":1,"led":2}
accepted.version 2

= text in any script comes back as it was
update {"state":{"reported":{"grüße":"日本 😀 \"\\\n"}}}
next.state.reported {"grüße":"日本 😀 \"\\\n"}
accepted.version 1

= the empty string is a key
update {"state":{"reported":{"":1}}}
next.state.reported {"":1}
accepted.version 1

= of a key that comes twice the last value counts
update {"state":{"reported":{"a":1,"b":2,"a":3}}}
next.state.reported {"a":3,"b":2}
accepted.state.reported {"a":3,"b":2}

= a key called timestamp is a key like any other
stored {"state":{"reported":{"timestamp":5}},"metadata":{"reported":{"timestamp":{"timestamp":1}}},"version":1}
update {"state":{"reported":{"a":{"timestamp":6}}}}
next.state.reported {"timestamp":5,"a":{"timestamp":6}}
next.metadata.reported {"timestamp":{"timestamp":1},"a":{"timestamp":{"timestamp":100}}}
accepted.version 2

= members of a request that mean nothing are ignored
update {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":7}},"timestamp":0,"x":[null]}
next {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":100}}},"version":1}
accepted {"state":{"reported":{"a":1}},"metadata":{"reported":{"a":{"timestamp":100}}},"version":1,"timestamp":100}

= white space around a request is allowed
update   {"state" : { "reported" : { "a" : 1 } } }  
next.state {"reported":{"a":1}}
accepted.version 1

= many keys merge in any order
stored {"state":{"reported":{"a":1,"b":1,"c":1,"d":1,"e":1,"f":1,"g":1,"h":1,"i":1,"j":1,"k":1,"l":1,"m":1,"n":1,"o":1,"p":1,"q":1,"r":1}},"metadata":{"reported":{"a":{"timestamp":1},"b":{"timestamp":1},"c":{"timestamp":1},"d":{"timestamp":1},"e":{"timestamp":1},"f":{"timestamp":1},"g":{"timestamp":1},"h":{"timestamp":1},"i":{"timestamp":1},"j":{"timestamp":1},"k":{"timestamp":1},"l":{"timestamp":1},"m":{"timestamp":1},"n":{"timestamp":1},"o":{"timestamp":1},"p":{"timestamp":1},"q":{"timestamp":1},"r":{"timestamp":1}}},"version":1}
update {"state":{"reported":{"z":2,"r":2,"y":2,"p":null,"x":2,"n":2,"l":2,"w":null,"j":2,"h":2,"f":2,"d":null,"b":2,"v":2,"a":2,"c":2,"e":2,"u":2}}}
next.state.reported {"a":2,"b":2,"c":2,"e":2,"f":2,"g":1,"h":2,"i":1,"j":2,"k":1,"l":2,"m":1,"n":2,"o":1,"q":1,"r":2,"z":2,"y":2,"x":2,"v":2,"u":2}
next.metadata.reported {"a":{"timestamp":100},"b":{"timestamp":100},"c":{"timestamp":100},"e":{"timestamp":100},"f":{"timestamp":100},"g":{"timestamp":1},"h":{"timestamp":100},"i":{"timestamp":1},"j":{"timestamp":100},"k":{"timestamp":1},"l":{"timestamp":100},"m":{"timestamp":1},"n":{"timestamp":100},"o":{"timestamp":1},"q":{"timestamp":1},"r":{"timestamp":100},"z":{"timestamp":100},"y":{"timestamp":100},"x":{"timestamp":100},"v":{"timestamp":100},"u":{"timestamp":100}}
accepted.version 2
