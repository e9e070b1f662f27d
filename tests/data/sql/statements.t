# statements.t -- whole statements: items, aliases, VALUE, WHERE, nested SELECT, CASE, payloads that are not JSON.

= the guide's reference page
sql SELECT color AS rgb FROM 'topic/subtopic' WHERE temperature > 50
payload {"color":"red","temperature":100}
out {"rgb":"red"}
payload {"color":"red","temperature":50}
out none

= the guide's page on SELECT
payload {"color":"red", "temperature":50}
sql SELECT * FROM 'topic/subtopic'
out {"color":"red","temperature":50}
sql SELECT color FROM 'topic/subtopic'
out {"color":"red"}
sql SELECT color AS my_color FROM 'topic/subtopic'
out {"my_color":"red"}
sql SELECT color as my_color, temperature as fahrenheit FROM 'topic/subtopic'
out {"my_color":"red","fahrenheit":50}
sql SELECT *, 15 as speed FROM 'topic/subtopic'
out {"color":"red","temperature":50,"speed":15}
sql SELECT VALUE color FROM 'topic/subtopic'
out "red"
sql SELECT (temperature - 32) * 5 / 9 AS celsius, upper(color) as my_color FROM 'topic/subtopic'
out {"celsius":10,"my_color":"RED"}
payload {"color":{"red":255,"green":0,"blue":0}, "temperature":50}
sql SELECT color.red as red_value FROM 'topic/subtopic'
out {"red_value":255}

= the guide's page on WHERE
payload {"color":"red", "temperature":40}
sql SELECT color AS my_color FROM 'topic/subtopic' WHERE temperature > 50 AND color <> 'red'
out none

= the guide's page on FROM
payload {"temperature": 50}
sql SELECT temperature AS t FROM 'topic/subtopic'
out {"t":50}
sql SELECT temperature AS t FROM 'topic/#'
out {"t":50}
sql SELECT temperature AS t FROM 'topic/+'
out {"t":50}

= the guide's page on JSON extensions
payload {"mydata":{"item2":{"0":{"my-key":"myValue"}}}}
sql SELECT * from 'iot/rules' WHERE get(get(get(mydata,"item2"),"0"),"my-key") = "myValue"
out {"mydata":{"item2":{"0":{"my-key":"myValue"}}}}
sql SELECT * from 'iot/rules' WHERE mydata.item2.0.my-key= "myValue"
out refused line 1, column 46: expected a name, found 0
payload {"deviceid":"iot123","temp":54.98,"humidity":32.43,"coords":{"latitude":47.615694,"longitude":-122.3359976}}
sql SELECT temp, md5(deviceid) AS hashed_id FROM 'topic/#'
out {"temp":54.98,"hashed_id":"e37f81fb397e595c4aeb5645b8cbbbd1"}
sql SELECT temp, md5(deviceid) AS hashed_id FROM topic/#
out refused line 1, column 46: expected a topic filter in single quotes, found topic

= the guide's page on literals
payload {"lat_long": [47.606,-122.332]}
sql SELECT {'latitude': get(lat_long, 0),'longitude':get(lat_long, 1)} as lat_long FROM 'topic/subtopic'
out {"lat_long":{"latitude":47.606,"longitude":-122.332}}
payload {"lat": 47.696, "long": -122.332}
sql SELECT [lat,long] as lat_long FROM 'topic/subtopic'
out {"lat_long":[47.696,-122.332]}

= the guide's page on CASE
payload {"color":"yellow"}
sql SELECT CASE color WHEN 'green' THEN 'go' WHEN 'yellow' THEN 'caution' WHEN 'red' THEN 'stop' ELSE 'you are not at a stop light' END as instructions FROM 'topic/subtopic'
out {"instructions":"caution"}
payload {"color":"blue"}
out {"instructions":"you are not at a stop light"}
payload {}
out {}
payload {"color":null}
out {"instructions":"you are not at a stop light"}

= CASE
? CASE 5 WHEN 5 THEN 'a' WHEN 5 THEN 'b' END => "a"
? CASE 5 WHEN 4 THEN 'a' END => undefined
? CASE 5 WHEN 5.0 THEN 'a' END => "a"
? CASE '5' WHEN 5 THEN 'a' ELSE 'b' END => "b"
? CASE 5 WHEN nope THEN 'a' ELSE 'b' END => "b"
? 1 + CASE 5 WHEN 5 THEN CASE 6 WHEN 6 THEN 7 END END + 1 => 9
? CASE WHEN 1 > 2 THEN 'a' WHEN 2 > 1 THEN 'b' ELSE 'c' END => "b"
? CASE WHEN 1 > 2 THEN 'a' ELSE 'c' END => "c"
? CASE WHEN 1 > 2 THEN 'a' END => undefined
?s CASE WHEN true THEN 1 END => refused line 1, column 13: CASE without a value is an extension
? CASE 5 END => refused line 1, column 15: expected 'WHEN', found END
? CASE 5 WHEN 5 END => refused line 1, column 22: expected 'THEN', found END
? CASE 5 WHEN 5 THEN 6 => refused line 1, column 29: expected 'END', found AS

= the guide's page on nested queries
payload {"e":[{"n":"temperature","u":"Cel","t":1234,"v":22.5},{"n":"light","u":"lm","t":1235,"v":135},{"n":"acidity","u":"pH","t":1235,"v":7}]}
sql SELECT (SELECT VALUE n FROM e) as sensors FROM 'my/topic'
out {"sensors":["temperature","light","acidity"]}
sql SELECT (SELECT v FROM e WHERE n = 'temperature') as temperature FROM 'my/topic'
out {"temperature":[{"v":22.5}]}
sql SELECT get((SELECT v FROM e WHERE n = 'temperature'), 0).v as temperature FROM 'topic'
out {"temperature":22.5}

= nested SELECT
payload {"e":[{"n":"a","v":1},{"n":"b"},{"n":"c","v":3,"w":[1,2]},7,null],"o":{"x":1,"y":{"z":2}},"s":"text"}
? (SELECT VALUE v FROM e) => [1,3]
? (SELECT v FROM e) => [{"v":1},{},{"v":3},{},{}]
? (SELECT * FROM e WHERE v > 1) => [{"n":"c","v":3,"w":[1,2]}]
? (SELECT VALUE * FROM e WHERE isUndefined(n)) => [7,null]
? (SELECT *, v * 2 AS d FROM e WHERE v >= 1) => [{"n":"a","v":1,"d":2},{"n":"c","v":3,"w":[1,2],"d":6}]
? (SELECT x FROM o) => {"x":1}
? (SELECT VALUE y.z FROM o) => 2
? (SELECT VALUE x FROM o WHERE x = 2) => undefined
? (SELECT VALUE x FROM s) => undefined
? (SELECT VALUE x FROM nope) => undefined
? (SELECT VALUE (SELECT VALUE * FROM w) FROM e WHERE n = 'c') => [[1,2]]
? (SELECT VALUE x FROM [{'x': 1}, {'x': 2}]) => [1,2]
? (SELECT VALUE s FROM o) => undefined
? 3 IN (SELECT VALUE v FROM e) => true
? 2 IN (SELECT VALUE v FROM e) => false
? EXISTS (SELECT VALUE v FROM e WHERE v > 2) => true
? EXISTS (SELECT VALUE v FROM e WHERE v > 3) => false
? EXISTS nope => false
? EXISTS o.x => true
?s EXISTS (SELECT VALUE v FROM e WHERE v > 2) => true
? EXISTS (SELECT * FROM e AS x WHERE x.n = 'c') => true
? EXISTS (SELECT * FROM e AS x WHERE x.n = 'd') => false
? (SELECT VALUE x FROM [1, 2, 3] AS x WHERE x > 1) => [2,3]
? (SELECT x, x.v AS w FROM e AS x WHERE x.v > 1) => [{"x":{"n":"c","v":3,"w":[1,2]},"w":3}]
? (SELECT VALUE x + v FROM e AS x WHERE v = 1) => []
? (SELECT VALUE x.v + v FROM e AS x WHERE v >= 1) => [2,6]
? (SELECT VALUE (SELECT VALUE x FROM x.w AS x WHERE x = 2) FROM e AS x WHERE x.n = 'c') => [[2]]
? (SELECT VALUE (SELECT VALUE x.v FROM x.w) FROM e AS x WHERE x.n = 'c') => [[]]
? (SELECT VALUE x.AS FROM [{'AS': 1}] AS x) => [1]
? (SELECT VALUE cast(x AS String) FROM [1] AS x) => ["1"]
? (SELECT x AS y FROM [1] AS x) => [{"y":1}]
? (SELECT VALUE abs(X) FROM [1] AS x) => []
? (SELECT VALUE x FROM o AS x) => {"x":1,"y":{"z":2}}
? (SELECT VALUE 1 FROM e AS) => refused line 1, column 33: expected a name, found )
? (SELECT VALUE 1 FROM e AS 'x') => refused line 1, column 34: expected a name, found 'x'
? [(SELECT VALUE x FROM [1] AS x), x] => [[1]]
payload {"arr":[1,2,3]}
sql SELECT * FROM 'a/b' WHERE 3 in arr
out {"arr":[1,2,3]}
sql SELECT * FROM 'a/b' WHERE exists (select * from arr as a where a = 3)
out {"arr":[1,2,3]}
sql SELECT * FROM 'a/b' WHERE exists (select * from arr as a where a = 4)
out none
payload {"e":[{"n":"a","v":1}]}
?15 (SELECT VALUE v FROM e) => refused line 1, column 9: SELECT within an expression needs SQL version 2016-03-23
? (SELECT VALUE v) => refused line 1, column 23: expected 'FROM', found )

= IN
? 3 IN [1, 2, 3] => true
? 3.0 IN [1, 2, 3] => true
? '3' IN [1, 2, 3] => false
? [1] IN [[2], [1]] => true
? {'a':1} IN [{'a':1.0}] => true
? NULL IN [1, NULL] => true
? 3 IN [] => false
? 3 IN 3 => undefined

= LIKE is an extension
? 'abc' LIKE 'a%' => true
? 'abc' LIKE '%c' => true
? 'abc' LIKE 'a_c' => true
? 'aäc' LIKE 'a_c' => true
? 'abc' LIKE 'b' => false
? 'abc' LIKE '%%' => true
? '' LIKE '%' => true
? 'mississippi' LIKE '%iss%ip%' => true
? 12 LIKE '1_' => true
? NULL LIKE '%' => undefined
?s 'abc' LIKE 'a%' => refused line 1, column 14: LIKE is an extension

= precedence
? 2 + 3 * 4 => 14
? (2 + 3) * 4 => 20
? 10 - 2 - 3 => 5
? 100 / 10 / 5 => 2
? 7 % 4 * 2 => 6
? -2 * -3 => 6
? - - 2 => 2
? 1 < 2 AND 3 > 2 => true
? true OR false AND false => true
? NOT false AND false => false
? NOT (false AND false) => true
? 1 + 1 = 2 => true
? NOT 1 = 2 => undefined
? 'a' + 1 + 2 => "a12"
? 1 + 2 + 'a' => "3a"

= exact integers and decimals of 34 digits
? 9007199254740993 + 0 => 9007199254740993
? 9223372036854775807 + 1 => 9223372036854775808
? -9223372036854775808 - 1 => -9223372036854775809
? 9223372036854775807 * 9223372036854775807 => 8.50705917302346158473969077842325E+37
? 1234567890123456789012345678901234 + 1 => 1234567890123456789012345678901235
? 9999999999999999999999999999999999 + 1 => 1E+34
? -9223372036854775808 / -1 => 9223372036854775808
? -9223372036854775808 % -1 => 0
? 12345678901234567890 / 7 => 1763668414462081127
? 0.1 + 0.2 => 0.3
? 1 / 3.0 => 0
?15 1 / 3.0 => 0.3333333333333333333333333333333333
?15 2 / 3.0 => 0.6666666666666666666666666666666667
? 1 / '3' => 0.3333333333333333333333333333333333
?15 10 / 4.0 => 2.5
? '5' / 2 => 2.5
? 5 / '2' => 2.5
? '10' - '3' => 7
? 1e999 * 10 => undefined
? 1e-999 / 10 => 0
? 1e999 > 1e998 => true
? 1e400 > 1 => true
? 0.1 * 0.1 => 0.01
? 1e-7 + 0 => 1E-7
? 1.5e20 => 150000000000000000000
? 1.5e40 => 1.5E+40
? 1e1000 => refused line 1, column 8: the number is out of range
? 5 % 0 => undefined
? 5 / 0 => undefined
? 5.5 / 0 => undefined
? -7 / 2 => -3
? -7 % 2 => -1
? 7 % -2 => 1
? 5.5 % 2 => 1.5
? 123456789.123456789 * 987654321.987654321 => 121932631356500531.3472031691126353
? 3 = 3.0 => true
? 3 = '3' => false
? 3 <> '3' => true
? NULL = NULL => true
? NULL <> NULL => false
? nope = nope => undefined
? [1, 2] = [1, 2.0] => true
? [1, 2] = [2, 1] => false
? {'a': 1, 'b': 2} = {'b': 2, 'a': 1} => true
? {'a': 1} <> {'a': 2} => true

= numbers of a payload keep their digits
payload {"big":9223372036854775808,"d":1.10,"w":10.0,"e":1e3,"l":0.1234567890123456789012345678901234567}
? big => 9223372036854775808
? big + 1 => 9223372036854775809
? d => 1.10
? w => 10
? w / 4 => 2
?15 w => 10.0
?15 w / 4 => 2.5
? e => 1000
? l => 0.1234567890123456789012345678901235
payload {"big":9223372036854775808,"d":1.10,"w":10.0}
sql SELECT * FROM 'a'
out {"big":9223372036854775808,"d":1.10,"w":10.0}
sql SELECT *, 1 AS x FROM 'a'
out {"big":9223372036854775808,"d":1.10,"w":10.0,"x":1}

= three-valued logic
? nope AND false => false
? false AND nope => false
? nope AND true => undefined
? nope OR true => true
? true OR nope => true
? nope OR false => undefined
? NOT nope => undefined
?s nope OR true => undefined
?s true OR nope => undefined
?s false AND nope => undefined
? 'TRUE' AND true => true
? 1 AND true => undefined

= keys of items without an alias
payload {"a":{"b":{"c":1}},"v":2,"value":3,"order-id":4}
sql SELECT a.b.c, v FROM 't'
out {"c":1,"v":2}
sql SELECT v + 1, lower('A') FROM 't'
out {"v + 1":3,"lower('A')":"a"}
sql SELECT a .	b, (v), -v FROM 't'
out {"b":{"c":1},"(v)":2,"-v":-2}
sql SELECT get(a, 'b').c FROM 't'
out {"c":1}
sql SELECT v, v AS v, a.b.c AS v FROM 't'
out {"v":1}
sql SELECT value FROM 't'
out {"value":3}
sql SELECT value, v FROM 't'
out {"value":3,"v":2}
sql SELECT VALUE value FROM 't'
out 3
sql SELECT value AS x FROM 't'
out {"x":3}
sql SELECT VALUE -v FROM 't'
out -2
sql SELECT value + 1 AS x FROM 't'
out {"x":4}
sql SELECT `order-id`, a.`b`.c AS d FROM 't'
out {"order-id":4,"d":1}
sql SELECT v AS 'two words', v AS `x-y` FROM 't'
out {"two words":2,"x-y":2}

= an alias with dots builds objects
payload {"a":{"b":1},"v":2}
sql SELECT v AS x.y.z, 3 AS x.w FROM 't'
out {"x":{"y":{"z":2},"w":3}}
sql SELECT *, v AS a.c FROM 't'
out {"a":{"b":1,"c":2},"v":2}
sql SELECT v AS x, 3 AS x.y FROM 't'
out {"x":{"y":3}}
sql SELECT nope AS x.y FROM 't'
out {}

= items that are undefined are left out, null is null
payload {"a":null}
sql SELECT a, b, nope.x AS c FROM 't'
out {"a":null}
sql SELECT b FROM 't'
out {}
sql SELECT VALUE b FROM 't'
out nothing
sql SELECT VALUE a FROM 't'
out null

= later items override
payload {"a":1,"b":2}
sql SELECT *, 9 AS a FROM 't'
out {"a":9,"b":2}
sql SELECT 9 AS a, * FROM 't'
out {"a":1,"b":2}
sql SELECT *, nope AS a FROM 't'
out {"a":1,"b":2}
sql SELECT *, * FROM 't'
out {"a":1,"b":2}

= VALUE
payload {"a":{"b":"c"},"arr":[1,2,3,4]}
sql SELECT VALUE arr FROM 'topic'
out [1,2,3,4]
sql SELECT VALUE a FROM 'topic'
out {"b":"c"}
sql SELECT VALUE * FROM 'topic'
out {"a":{"b":"c"},"arr":[1,2,3,4]}
sql SELECT VALUE [a.b, 5] FROM 'topic'
out ["c",5]
version 2015-10-08
sql SELECT VALUE a.b FROM 'topic'
out "c"
sql SELECT VALUE arr FROM 'topic'
out nothing

= WHERE sees the payload, not the aliases, and must be true
payload {"a":1,"t":"true","n":null}
sql SELECT a AS b FROM 't' WHERE b = 1
out none
sql SELECT a FROM 't' WHERE t
out {"a":1}
sql SELECT a FROM 't' WHERE a
out none
sql SELECT a FROM 't' WHERE nope
out none
sql SELECT a FROM 't' WHERE n
out none
sql SELECT a WHERE a = 1
out {"a":1}
sql SELECT a
out {"a":1}

= an array as payload
payload [{"a":1},{"a":2}]
sql SELECT * FROM 't'
out [{"a":1},{"a":2}]
sql SELECT *, 1 AS x FROM 't'
out {"x":1}
sql SELECT get(*, 1).a AS a FROM 't'
out {"a":2}
sql SELECT (SELECT VALUE a FROM [1]) AS x FROM 't'
out {"x":[]}

= payloads that are not JSON, the guide's page on binary payloads
raw hello
sql SELECT * FROM 'topic/subtopic'
out raw
sql SELECT * FROM 'topic/subtopic' WHERE timestamp() % 12 = 3
out raw
sql SELECT * FROM 'topic/subtopic' WHERE timestamp() % 12 = 0
out none
sql SELECT * FROM 'topic/subtopic' WHERE device_type = 'thermostat'
out none
sql SELECT *, principal() as principal, timestamp() as time FROM 'topic/subtopic'
out {"principal":"ba67293af50bf2506f5f93469686da660c7c844e7b3950bfb16813e0d31e9373","time":1481825251155}
sql SELECT encode(*, 'base64') AS data, timestamp() AS ts FROM 'topic/subtopic'
out {"data":"aGVsbG8=","ts":1481825251155}
sql SELECT decode(encode(*, 'base64'), 'base64') AS payload FROM 'topic'
out {"payload":"hello"}
sql SELECT color FROM 'topic'
out {}
sql SELECT VALUE encode(*, 'base64') FROM 'topic'
out "aGVsbG8="
raw aGVsbG8=
sql SELECT decode(*, 'base64') AS payload FROM 'topic'
out {"payload":"hello"}

= the payload as it came
payload { "a" : 1 }
sql SELECT encode(*, 'base64') AS x FROM 't'
out {"x":"eyAiYSIgOiAxIH0="}
sql SELECT aws_lambda("arn", *) AS x FROM 't'
out {"x":{"a":1}}

= encode and decode examples of the guide
payload {"encoded_temp": "eyAidGVtcGVyYXR1cmUiOiAzMyB9Cg=="}
sql SELECT decode(encoded_temp,"base64").temperature AS temp from 'topic/subtopic'
out {"temp":33}

= shadows in WHERE, the guide's example
payload {"a":1}
sql SELECT * from 'topic/subtopic' WHERE get_thing_shadow("lamp","MyThingShadow","arn:aws:iam::123456789012:role/AllowsThingShadowAccess") .state.reported.alarm = 'ON'
out {"a":1}

= indexes are an extension
payload {"a":[10,[20,30]],"o":{"x-y":5},"i":1}
? a[0] => 10
? a[1][1] => 30
? a[i][0] => 20
? a[2] => undefined
? a[-1] => undefined
? a['x'] => undefined
? o['x-y'] => 5
? nope[0] => undefined
?s a[0] => refused line 1, column 9: expected ',' or 'FROM', found [
?s `o` => refused line 1, column 8: quoted names are an extension

= 2015-10-08 has no literals and not all functions
?15 [1] => refused line 1, column 8: literal arrays and objects need a newer version of the language
?15 {'a': 1} => refused line 1, column 8: literal arrays and objects need a newer version of the language
?15 length('a') => refused line 1, column 8: length needs SQL version 2016-03-23
?15 encode('a', 'base64') => refused line 1, column 8: encode needs SQL version 2016-03-23
?15 cast(1 AS Decimal) => refused line 1, column 18: this type needs SQL version 2016-03-23

= substitution templates
topic my/iot/topic
payload {"deviceid":"iot123","temp":54.98,"n":null,"coords":{"latitude":47.615694}}
template ${topic()}/republish
out my/iot/topic/republish
template device/${deviceid}/${temp}
out device/iot123/54.98
template ${coords}
out {"latitude":47.615694}
template no expression
out no expression
template a ${'}'} b ${"$" + "{"}
out a } b ${
template ${temp > 50} ${1 + 1}
out true 2
template ${{'a': 1}.a}${2}
out 12
template ${parse_time("yyyy", timestamp(), "UTC")}
out 2016
template $ { } $x
out $ { } $x
template ${nope}
out error an expression of the template is undefined
template ${n}
out error an expression of the template is null
template ${get_thing_shadow('later', 'r')}x
out later
template a ${
out refused line 1, column 5: expected an expression, found the end
template a ${1
out refused line 1, column 6: expected '}', found the end
template a ${1 2}
out refused line 1, column 7: expected '}', found 2
template ${}
out refused line 1, column 3: expected an expression, found }

= what is wrong is said with its place
sql
out refused line 1, column 1: expected 'SELECT', found the end
sql SELECT
out refused line 1, column 7: expected an expression, found the end
sql SELECT FROM 'a'
out refused line 1, column 8: expected an expression, found FROM
sql SELECT a FROM
out refused line 1, column 14: expected a topic filter in single quotes, found the end
sql SELECT a FROM "a"
out refused line 1, column 15: expected a topic filter in single quotes, found "a"
sql SELECT a FROM 'a/#/b'
out refused line 1, column 15: not a topic filter: a/#/b
sql SELECT a FROM 'a+'
out refused line 1, column 15: not a topic filter: a+
sql SELECT a FROM ''
out refused line 1, column 15: not a topic filter: 
sql SELECT a FROM 'a' WHERE
out refused line 1, column 24: expected an expression, found the end
sql SELECT a FROM 'a' WHERE b > 
out refused line 1, column 29: expected an expression, found the end
sql SELECT a FROM 'a' WHERE b c
out refused line 1, column 27: expected an operator or the end, found c
sql SELECT a FROM 'a' ORDER BY b
out refused line 1, column 19: expected 'WHERE' or the end, found ORDER
sql SELECT a b FROM 'a'
out refused line 1, column 10: expected ',' or 'FROM', found b
sql SELECT a, FROM 'a'
out refused line 1, column 11: expected an expression, found FROM
sql SELECT a AS FROM 'a'
out refused line 1, column 18: expected ',' or 'FROM', found 'a'
sql SELECT a AS 5 FROM 'a'
out refused line 1, column 13: expected a name, found 5
sql SELECT 'a FROM b
out refused line 1, column 8: the quote is not closed
sql SELECT a. FROM 'a'
out refused line 1, column 16: expected ',' or 'FROM', found 'a'
sql SELECT 12ab FROM 'a'
out refused line 1, column 8: a number with letters behind it
sql SELECT foo(1) FROM 'a'
out refused line 1, column 8: there is no function foo
sql SELECT sustring('a', 1) FROM 'a'
out refused line 1, column 8: there is no function sustring: did you mean substring?
sql SELECT abs() FROM 'a'
out refused line 1, column 8: abs takes 1 argument, not 0
sql SELECT substring('a') FROM 'a'
out refused line 1, column 8: substring takes 2 to 3 arguments, not 1
sql SELECT abs(1 FROM 'a'
out refused line 1, column 14: expected ')', found FROM
sql SELECT (1 + 2 FROM 'a'
out refused line 1, column 15: expected ')', found FROM
sql SELECT [1, 2 FROM 'a'
out refused line 1, column 14: expected ']', found FROM
sql SELECT {'a' 1} FROM 'a'
out refused line 1, column 13: expected ':', found 1
sql SELECT {5: 1} FROM 'a'
out refused line 1, column 9: expected a key, found 5
sql SELECT cast(1 AS Float) FROM 'a'
out refused line 1, column 18: expected a type: String, Int, Double, Decimal or Boolean, found Float
sql SELECT cast(1) FROM 'a'
out refused line 1, column 14: expected 'AS', found )
sql SELECT decode(*, 'proto', 'bucket', 'f.desc', 'f.proto', 'M') FROM 'a'
out refused line 1, column 15: decode takes a value and 'base64': protocol buffers are not supported
sql SELECT 1 + * FROM 'a'
out refused line 1, column 12: expected an expression, found *
sql SELECT ä§ FROM 'a'
out {}
sql SELECT a ? b FROM 'a'
out refused line 1, column 10: expected ',' or 'FROM', found ?

= with strict AWS a wrong number of arguments is undefined
?s abs() => undefined
?s abs(1, 2) => undefined
?s substring('a') => undefined

= error actions call no external functions
alone
payload {"a":1}
template x/${aws_lambda("f", a)}
out refused line 1, column 5: aws_lambda is an external function: error actions may not call these
template x/${get_or_default(get_thing_shadow("lamp", "r"), 1)}
out refused line 1, column 20: get_thing_shadow is an external function: error actions may not call these
template ${topic(1)}/${a}
out a/1

= the guide's page on SET
payload {"temp_fahrenheit": 75, "humidity": 60}
sql SET @temp_celsius = (temp_fahrenheit - 32) * 5 / 9 SELECT @temp_celsius AS celsius, humidity FROM 'device/data'
out {"celsius":23,"humidity":60}
statement SET @temp_celsius = (temp_fahrenheit - 32) * 5 / 9 SELECT @temp_celsius AS celsius, humidity FROM 'device/data'
template temperature-data/${humidity}/temp-${@temp_celsius}C.json
out temperature-data/60/temp-23C.json
payload {"device1": {"deviceId":"weather_sensor", "deviceData": {"sensors": {"temp_fahrenheit": 75, "humidity": 60}, "location": [47.606,-122.332]}}}
sql SET @device_sensor_data = device1.deviceData.sensors SELECT @device_sensor_data.temp_fahrenheit AS temp_fahrenheit, @device_sensor_data.humidity as humidity, device1.deviceId as deviceId FROM 'device/data'
out {"temp_fahrenheit":75,"humidity":60,"deviceId":"weather_sensor"}
payload {"temp_fahrenheit": 75}
sql SET @user_data = {'name': 'n', 'active': true}, @threshold = 50 SELECT @user_data.name, temp_fahrenheit FROM 'sensors/+' WHERE temp_fahrenheit > @threshold AND @user_data.active = true
out {"name":"n","temp_fahrenheit":75}
raw {oops
sql SET @encoded_payload = encode(*, 'base64') SELECT @encoded_payload AS raw_data FROM 'device/binary'
out {"raw_data":"e29vcHM="}

= SET
payload {"a":1,"e":[{"v":1},{"v":2},{"v":3}]}
sql SET @a = a + 1, @b = @a * 10 SELECT @b AS b, (SELECT VALUE v FROM e WHERE v >= @a) AS v FROM 'a/b' WHERE @b = 20
out {"b":20,"v":[2,3]}
sql SET @a = nope SELECT @a AS a, isUndefined(@a) AS u FROM 'a/b'
out {"u":true}
sql SET @a = NULL SELECT @a AS a FROM 'a/b'
out {"a":null}
sql SET @a = newuuid(), @b = rand() SELECT VALUE [@a = @a, @b = @b, @a = newuuid()] FROM 'a/b'
out [true,true,false]
sql SET @_1 = 3 SELECT @_1 FROM 'a/b'
out {"@_1":3}
sql set @1 = 3 SELECT @1 + @1 AS s FROM 'a/b'
out {"s":6}
sql SET @a = 1, @b = 2, @c = 3, @d = 4, @e = 5, @f = 6, @g = 7, @h = 8, @i = 9, @j = 10 SELECT @a + @b + @c + @d + @e + @f + @g + @h + @i + @j AS sum FROM 'a/b'
out {"sum":55}
sql SET @a = e SELECT VALUE @a FROM 'a/b' WHERE get(@a, 1).v = 2
out [{"v":1},{"v":2},{"v":3}]
sql SET @a = get_thing_shadow("later", "role") SELECT @a.x AS x FROM 'a/b' WHERE @a.x = 1
out later
sql SET @a = get_thing_shadow("broken", "role") SELECT @a AS x FROM 'a/b'
out error get_thing_shadow: it is broken
sql SET @a = rpad('x', 1000), @b = replace(@a, ' ', @a), @c = concat(@b, @b) SELECT 1 AS x FROM 'a/b'
out error the values of variables take more than 131072 bytes
sql SET @a = 1 SELECT @b AS b FROM 'a/b'
out refused line 1, column 19: @b is not set
sql SET @a = @a SELECT 1 AS b FROM 'a/b'
out refused line 1, column 10: @a is not set
sql SET @a = 1, @a = 2 SELECT 1 AS b FROM 'a/b'
out refused line 1, column 13: @a is set twice
sql SET @a = 1, @b = 2, @c = 3, @d = 4, @e = 5, @f = 6, @g = 7, @h = 8, @i = 9, @j = 10, @k = 11 SELECT 1 AS x FROM 'a/b'
out refused line 1, column 86: more than 10 variables
sql SET @aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa = 1 SELECT 1 AS x FROM 'a/b'
out refused line 1, column 5: the name of a variable has at most 64 characters
sql SET @ = 1 SELECT 1 AS x FROM 'a/b'
out refused line 1, column 5: expected a name of letters, digits and '_' behind @
sql SET a = 1 SELECT 1 AS x FROM 'a/b'
out refused line 1, column 1: expected 'SELECT', found SET
sql SET @a = 1, b = 2 SELECT 1 AS x FROM 'a/b'
out refused line 1, column 13: expected a variable such as @name, found b
sql SET @a = 1 SET @b = 2 SELECT 1 AS x FROM 'a/b'
out refused line 1, column 12: expected 'SELECT', found SET
sql SET @a 1 SELECT 1 AS x FROM 'a/b'
out refused line 1, column 8: expected '=', found 1
sql SELECT @a AS x FROM 'a/b'
out refused line 1, column 8: @a is not set
sql SET @a = a SELECT SET AS s, @a AS a FROM 'a/b'
out {"a":1}
version 2015-10-08
sql SET @a = a + 1 SELECT @a AS a FROM 'a/b'
out {"a":2}

= variables in templates
payload {"a":1}
statement SET @a = a + 1, @b = nope SELECT a FROM 'a/b'
template x${@a}y${@a * 2}
out x2y4
template ${@b}
out error an expression of the template is undefined
template ${@c}
out refused line 1, column 3: @c is not set
template user@host/${a}
out user@host/1
alone
statement SET @s = get_thing_shadow("lamp", "role").state.reported.alarm SELECT a FROM 'a/b'
template ${@s}
out ON
template ${get_thing_shadow("lamp", "role").state.reported.alarm}
out refused line 1, column 3: get_thing_shadow is an external function: error actions may not call these
