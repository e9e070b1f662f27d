# functions.t -- every function: the guide's examples, each type of argument, and the edges.

= abs
? abs(-5) => 5
? abs(5) => 5
? abs(-2.5) => 2.5
? abs('-5.123') => 5.123
? abs(-9223372036854775808) => 9223372036854775808
? abs(true) => undefined
? abs([1]) => undefined
? abs({'a':1}) => undefined
? abs(NULL) => undefined
? abs(nope) => undefined
? abs('x') => undefined

= accountid, principal, clientid, sourceip, traceid
? accountid() => "123456789012"
? principal() => "ba67293af50bf2506f5f93469686da660c7c844e7b3950bfb16813e0d31e9373"
? clientid() => "client-1"
? sourceip() => "192.0.2.7"
? traceid() => "12345678-1234-1234-1234-123456789012"

= functions of analysis, in double precision
? acos(0) => 1.5707963267948966
? acos(2) => undefined
? acos('0') => 1.5707963267948966
? acos(true) => undefined
? acos(NULL) => undefined
? asin(0) => 0
?15 asin(0) => 0.0
? asin(1.5) => undefined
? asin('x') => undefined
? atan(0) => 0
?15 atan(0) => 0.0
? atan(1) => 0.7853981633974483
? atan([1]) => undefined
? atan2(1, 0) => 1.5707963267948966
? atan2('1', '0') => 1.5707963267948966
? atan2(1, 'x') => undefined
? atan2(1, true) => undefined
? atan2(0, -1) => 3.141592653589793
? cos(0) => 1
?15 cos(0) => 1.0
? cos('0') => 1
? cos({'a':1}) => undefined
? cosh(2.3) => 5.037220649268761
? cosh(false) => undefined
? exp(1) => 2.718281828459045
? exp('1') => 2.718281828459045
? exp(NULL) => undefined
? exp(10000) => undefined
? ln(1) => 0
? ln(2.718281828459045) => 1
? ln(0) => undefined
? ln(-1) => undefined
? ln('1') => 0
? ln(true) => undefined
? log(100) => 2
?15 log(100) => 2.0
? log('1000') => 3
? log(0) => undefined
? log([100]) => undefined
? power(2, 5) => 32
?15 power(2, 5) => 32.0
? power('2', '5') => 32
? power(2, 'x') => undefined
? power(-1, 0.5) => undefined
? power(10, 400) => undefined
? power(true, 2) => undefined
? sin(0) => 0
?15 sin(0) => 0.0
? sin('0') => 0
? sin(true) => undefined
? sinh(2.3) => 4.936961805545957
? sinh(NULL) => undefined
? sqrt(9) => 3
?15 sqrt(9) => 3.0
? sqrt('9') => 3
? sqrt(2) => 1.4142135623730951
? sqrt(-1) => undefined
? sqrt(true) => undefined
? tan(3) => -0.1425465430742778
? tan('x') => undefined
? tanh(2.3) => 0.9800963962661914
? tanh(nope) => undefined

= bits, rounded down
? bitand(13, 5) => 5
? bitand(13.9, '5.9') => 5
? bitand(13, true) => undefined
? bitand(-1, 255) => 255
? bitor(8, 5) => 13
? bitor('8', 5) => 13
? bitor(NULL, 5) => undefined
? bitxor(13, 5) => 8
? bitxor(-1.5, 0) => -2
? bitxor([1], 0) => undefined
? bitnot(13) => -14
? bitnot(13.7) => -14
? bitnot('13') => -14
? bitnot(-14) => 13
? bitnot(true) => undefined
? bitand(9223372036854775808, 1) => undefined

= bitnot as the guide's example has it
?s bitnot(13) => 2
?s bitnot(0) => 1
?s bitnot(255) => 0
?s bitnot(-14) => 13

= ceil, floor, round
? ceil(1.2) => 2
? ceil(-1.2) => -1
? ceil(7) => 7
? ceil('1.2') => 2
? ceil('x') => undefined
? ceil(true) => undefined
? ceil(0.00000000000000000001) => 1
? floor(1.2) => 1
? floor(-1.2) => -2
? floor('-1.2') => -2
? floor([1,2,3]) => undefined
? floor(12345678901234567890.5) => 12345678901234567890
? Round(1.2) => 1
? Round(1.5) => 2
? Round(1.7) => 2
? Round(-1.1) => -1
? Round(-1.5) => -2
? Round(0.5) => 1
? Round(2.5) => 3
? Round('1.5') => 2
? Round(NULL) => undefined
? round(0.49999999999999999999) => 0

= sign
? sign(-7) => -1
? sign(0) => 0
? sign(13) => 1
? sign(-0.001) => -1
? sign('13') => 1
? sign('x') => undefined
? sign(true) => undefined

= trunc strips zeros at the end
? trunc(2.3, 0) => 2
? trunc(2.3123, 2) => 2.31
? trunc(2.888, 2) => 2.88
? trunc(2.00, 5) => 2
?15 trunc(2.00, 5) => 2
? trunc(-2.888, 2) => -2.88
? trunc('2.888', '2') => 2.88
? trunc(2.888, 40) => 2.888
? trunc(2.888, -3) => 2
? trunc(2.888, 1.9) => 2.8
? trunc(true, 1) => undefined
? trunc(1.5, 'x') => undefined

= mod and remainder
? mod(8, 3) => 2
? remainder(8, 3) => 2
? mod(-8, 3) => -2
? mod(8.5, 3) => 2.5
? mod('8', '3') => 2
? mod(8, 0) => undefined
? mod(8, '0.0') => undefined
? remainder(true, 3) => undefined
? mod(1e30, 7) => 1
? mod(0.3, 0.1) => 0
? mod(1, 1e20) => 1

= nanvl
? Nanvl(8, 3) => 8
? nanvl(NULL, 3) => 3
? nanvl(nope, 'x') => "x"
? nanvl('text', 3) => "text"
? nanvl(true, 3) => true
? nanvl(NULL, NULL) => null

= chr
? chr(65) => "A"
? chr(49) => "1"
? chr(65.9) => "A"
? chr('65') => "A"
? chr(128) => undefined
? chr(0) => undefined
? chr(-1) => undefined
? chr(true) => undefined
? chr(NULL) => undefined

= concat
? concat() => undefined
? concat(1) => 1
? concat('a') => "a"
? concat(NULL) => null
?s concat(1) => "1"
?s concat([1]) => [1]
? concat([1, 2, 3], 4) => [1,2,3,4]
? concat([1, 2, 3], "hello") => [1,2,3,"hello"]
? concat("con", "cat") => "concat"
? concat(1, "hello") => "1hello"
? concat("he","is","man") => "heisman"
? concat([1, 2, 3], "hello", [4, 5, 6]) => [1,2,3,"hello",4,5,6]
? concat(1, 2) => undefined
? concat('a', NULL) => undefined
? concat('a', nope) => undefined
? concat('a', true, 1.5) => "atrue1.5"
? concat('a', {'b':1}) => "a{\"b\":1}"
? concat([], []) => []

= endswith, startswith
? endswith("cat","at") => true
? endswith("cat","ca") => false
? endswith(123, 3) => true
? endswith("cat", NULL) => undefined
? endswith(nope, "at") => undefined
? endswith("at", "cat") => false
? endswith("cat", "") => true
? startswith("ranger","ran") => true
? startswith("ranger","anger") => false
? startswith(true, 't') => true
? startswith(NULL, 't') => undefined
? startswith('t', nope) => undefined

= get
? get(["a", "b", "c"], 1) => "b"
? get({"a":"b"}, "a") => "b"
? get("abc", 1) => "b"
? get("abc", 0) => "a"
? get("aäb", 1) => "ä"
? get("abc", 3) => undefined
? get(["a", "b", "c"], -1) => undefined
? get(["a", "b", "c"], 3) => undefined
? get(["a", "b", "c"], '1') => "b"
? get(["a", "b", "c"], 'x') => undefined
? get({"1":"b"}, 1) => undefined
? get({"a":"b"}, "c") => undefined
? get(5, 0) => undefined
? get(NULL, 0) => undefined
? get(true, 0) => undefined

= hashes
? md2("hello") => "a9046c73e00331af68917d3804f70655"
? md5("hello") => "5d41402abc4b2a76b9719d911017c592"
? sha1("hello") => "aaf4c61ddcc5e8a2dabede0f3b482cd9aea9434d"
? sha224("hello") => "ea09ae9cc6768c50fcee903ed054556e5bfc8347907f12598aa24193"
? sha256("hello") => "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"
? sha384("hello") => "59e1748777448c69de6b800d7a33bbfb9ff1b463e44354c3553bcdb9c666fa90125a3c79f90397bdf5f6a13de828684f"
? sha512("hello") => "9b71d224bd62f3785d96d46ad3ea3d73319bfbc2890caadae2dff72519673ca72323c3d99ba5c11d7c7acc6e14b8c5da0c4663475c2e5c3adef46f73bcdec043"
? md2("") => "8350e5a3e24c153df2275c9f80692773"
? md2("abc") => "da853b0d3f88d99b30283a69e6ded6bb"
? md2("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") => "da33def2a42df13975352846c30338cd"
? md5(12) => "c20ad4d76fe97759aa27a0c99bff6710"
? md5(true) => "b326b5062b2f0e69046810717534cb09"
? md5(NULL) => undefined
? sha256(nope) => undefined
? sha1([1]) => "f629ae44b7b3dcfed444d363e626edf411ec69a8"
? md2(NULL) => undefined
? md2(UNDEFINED) => undefined
? md5(UNDEFINED) => undefined
? sha1(NULL) => undefined
? sha1(UNDEFINED) => undefined
? sha224(NULL) => undefined
? sha224(UNDEFINED) => undefined
? sha256(NULL) => undefined
? sha256(UNDEFINED) => undefined
? sha384(NULL) => undefined
? sha384(UNDEFINED) => undefined
? sha512(NULL) => undefined
? sha512(UNDEFINED) => undefined

= indexof
? indexof("abcd", "bc") => 1
? indexof("abcd", "x") => -1
? indexof("äöü", "ü") => 2
? indexof(12345, 34) => 2
? indexof("abcd", "") => 0
? indexof(NULL, "a") => undefined

= isNull, isUndefined
? isNull(5) => false
? isNull(2.5) => false
? isNull(true) => false
? isNull('') => false
? isNull([]) => false
? isNull({}) => false
? isNull(Null) => true
? isNull(nope) => false
? isUndefined(5) => false
? isUndefined(2.5) => false
? isUndefined(true) => false
? isUndefined('') => false
? isUndefined([]) => false
? isUndefined({}) => false
? isUndefined(NULL) => false
? isUndefined(nope) => true
? isUndefined(floor([1,2,3])) => true

= length, numbytes
? length("hi") => 2
? length(false) => 5
? length("€") => 1
? length("") => 0
? length(NULL) => undefined
? length([1, 2]) => 5
? numbytes("hi") => 2
? numbytes("€") => 3
? numbytes(12.5) => 4
? numbytes(nope) => undefined

= lower, upper
? lower("HELLO") => "hello"
? lower(["HELLO"]) => "[\"hello\"]"
? lower(NULL) => undefined
? lower(true) => "true"
? lower("ÄÖÜ ÉŁ ΑΩ ЖЯЁ") => "äöü éł αω жяё"
? upper("hello") => "HELLO"
? upper(["hello"]) => "[\"HELLO\"]"
? upper("äöü éł αω жяё ß ÿ ÷ 日本 🙂") => "ÄÖÜ ÉŁ ΑΩ ЖЯЁ ß ÿ ÷ 日本 🙂"
? upper(nope) => undefined
? lower("日本🙂Ḁ") => "日本🙂ḁ"

= lpad, rpad
? lpad("hello", 2) => "  hello"
? lpad(1, 3) => "   1"
? lpad("a", 2.9) => "  a"
? lpad("a", '2') => "  a"
? lpad("a", -5) => "a"
? length(lpad("a", 5000)) => 1001
? lpad("a", 'x') => undefined
? lpad("a", true) => undefined
? lpad(NULL, 1) => undefined
? lpad([1], 1) => " [1]"
? rpad("hello", 2) => "hello  "
? rpad(1, 3) => "1   "
? rpad(true, 1) => "true "
? rpad(nope, 1) => undefined
? length(rpad("", 1e30)) => 1000

= ltrim, rtrim, trim
? Ltrim(" h i ") => "h i "
? rtrim(" h i ") => " h i"
? trim(" hi ") => "hi"
? ltrim(NULL) => undefined
? rtrim(nope) => undefined
payload {"w":" \t\r\n x \n"}
? trim(w) => "x"
? ltrim(w) => "\r\n x \n"
? rtrim(w) => " \t\r\n x \n"
? trim(12) => "12"
? trim(2.5) => "2.5"
? trim(true) => "true"
? trim([1, 2]) => "[1,2]"
? trim({'a': 1}) => "{\"a\":1}"
? trim(" 	 ") => ""
? ltrim(UNDEFINED) => undefined
? rtrim(NULL) => undefined
? rtrim(UNDEFINED) => undefined
? trim(NULL) => undefined
? trim(UNDEFINED) => undefined

= replace
? replace("abcd", "bc", "x") => "axd"
? replace("abcdabcd", "b", "x") => "axcdaxcd"
? replace("aaa", "a", "bb") => "bbbbbb"
? replace("aaa", "", "b") => "aaa"
? replace(12321, 2, 9) => "19391"
? replace("abc", "x", "y") => "abc"
? replace(NULL, "x", "y") => undefined
? replace("a", nope, "y") => undefined
? replace("a", "a", NULL) => undefined

= substring
? substring("012345", 0) => "012345"
? substring("012345", 2) => "2345"
? substring("012345", 2.745) => "2345"
? substring(123, 2) => "3"
? substring("012345", -1) => "012345"
? substring(true, 1.2) => "rue"
? substring(false, -2.411E247) => "false"
? substring("012345", 1, 3) => "12"
? substring("012345", -50, 50) => "012345"
? substring("012345", 3, 1) => ""
? substring("012345", 3, 3) => ""
? substring("012345", 1e300) => ""
? substring("äöü", 1, 2) => "ö"
? substring("abc", "1") => "bc"
? substring("abc", "x") => undefined
? substring(NULL, 1) => undefined
? substring("abc", true) => undefined

= regular expressions
? regexp_matches("aaaa", "a{2,}") => true
? regexp_matches("aaaa", "b") => false
? regexp_matches(123, "2") => true
? regexp_matches(true, "^t") => true
? regexp_matches([1], "1") => true
? regexp_matches(NULL, "a") => undefined
? regexp_matches("a", nope) => undefined
? regexp_matches("a", "(") => undefined
? regexp_matches("ab12", "\p{Alpha}+\d{2}$") => true
? regexp_matches("grün", "^.{4}$") => true
? regexp_matches("\u00e9", "^é$") => false
? regexp_replace("abcd", "bc", "x") => "axd"
? regexp_replace("abcd", "b(.*)d", "$1") => "ac"
? regexp_replace("abab", "(a)(b)", "$2$1") => "baba"
? regexp_replace("abc", "(?<mid>b)", "[${mid}]") => "a[b]c"
? regexp_replace("abc", "b", "\$1") => "a$1c"
? regexp_replace("abc", "b", "$1") => undefined
? regexp_replace("abc", "b", "$") => undefined
? regexp_replace("abc", "b", "x\\") => undefined
? "a\\\"b" => "a\\\"b"
? 'a''b' => "a'b"
? 'a\'b' => "a'b"
? 'a\\' => "a\\"
? 'a\b' => "a\\b"
? 'a\\b' => "a\\\\b"
? "it's" => "it's"
? '' => ""
? '\\''\'' => "\\''"
? regexp_replace("abc", "x*", "-") => "-a-b-c-"
? regexp_replace("äb", "", "-") => "-ä-b-"
? regexp_replace("abc", "(x)?b", "[$1]") => "a[]c"
? regexp_replace("a1", "(\d)", "$11") => "a11"
? regexp_replace(NULL, "a", "b") => undefined
? regexp_replace("a", "(", "b") => undefined
? regexp_replace("a", "a", NULL) => undefined
? regexp_substr("hihihello", "hi") => "hi"
? regexp_substr("hihihello", "(hi)*") => "hihi"
? regexp_substr("abc", "x") => undefined
? regexp_substr(12345, "3.") => "34"
? regexp_substr(nope, "3.") => undefined

= regular expressions that would take for ever are undefined
? regexp_matches("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "^(a+)+$") => undefined
? regexp_replace("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "(a|aa)+$", "x") => undefined
? regexp_substr("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaab", "(.*)*(.*)*x") => undefined
? regexp_matches("a", "(((a{1,999}){1,999}){1,999}){1,999}") => undefined
? regexp_matches("a", "((((((((((((((((((((((((((((((((((((((((((((((((((((((((((((a))))))))))))))))))))))))))))))))))))))))))))))))))))))))))))") => undefined

= encode and decode
? encode('hello', 'base64') => "aGVsbG8="
? encode(12, 'base64') => "MTI="
? encode({'a':1}, 'base64') => "eyJhIjoxfQ=="
? encode('', 'base64') => ""
? encode(nope, 'base64') => undefined
? encode('a', 'hex') => undefined
? decode('aGVsbG8=', 'base64') => "hello"
? decode('eyJhIjoxfQ==', 'base64') => {"a":1}
? decode('WzEsMl0=', 'base64') => [1,2]
? decode('NQ==', 'base64') => "5"
? decode('eyAidGVtcGVyYXR1cmUiOiAzMyB9Cg==', "base64").temperature => 33
? decode('not base64', 'base64') => null
? decode('aGVsbG8', 'base64') => null
? decode('a=Vs', 'base64') => null
? decode('/w==', 'base64') => null
? decode('AA==', 'base64') => null
? decode(NULL, 'base64') => null
? decode(nope, 'base64') => undefined
? decode('aGVsbG8=', 'proto') => undefined

= get_mqtt_property
? get_mqtt_property('format_indicator') => "UTF8_DATA"
? get_mqtt_property('content_type') => "application/json"
? get_mqtt_property('response_topic') => "answers/1"
? get_mqtt_property('correlation_data') => "AQL/"
? get_mqtt_property('message_expiry') => undefined
? get_mqtt_property(5) => undefined

= get_user_properties
? get_user_properties() => [{"k1":"v1"},{"k2":"v2"},{"k1":"v3"}]
? get_user_properties('k1') => ["v1","v3"]
? get_user_properties('k3') => undefined
? get_user_properties(NULL) => undefined

= get_or_default
? get_or_default(nope, 'x') => "x"
? get_or_default(NULL, 'x') => "x"
? get_or_default(5, 'x') => 5
? get_or_default(false, 'x') => false
? get_or_default(get_thing_shadow('broken', 'role'), 'x') => "x"
? get_or_default(get_thing_shadow('lamp', 'role').state.reported.alarm, 'x') => "ON"
? get_or_default(get_thing_shadow('lamp', 'role').state.reported.nope, get_or_default(NULL, 'y')) => "y"
? 1 + get_or_default(nope, 2) * 3 => 7

= time
? timestamp() => 1481825251155
? parse_time("yyyy.MM.dd G 'at' HH:mm:ss z", 100000000, "America/Belize") => "1970.01.01 AD at 21:46:40 CST"
? parse_time("yyyy.MM.dd G 'at' HH:mm:ss z", 1497028786000) => "2017.06.09 AD at 17:19:46 UTC"
? parse_time("yyyy", timestamp(), "UTC") => "2016"
? parse_time("yyyy-MM-dd'T'HH:mm:ss.SSS", 1481825251155) => "2016-12-15T18:07:31.155"
? parse_time("yy M d H m s S SS SSSSSS", 1481825251155) => "16 12 15 18 7 31 1 15 155000"
? parse_time("EEEE EEE e MMMM MMM D DDDD", 1481825251155) => "Thursday Thu 4 December Dec 350 0350"
? parse_time("xxxx-ww", 1451606400000) => "2015-53"
? parse_time("CC YYYY yy", 1481825251155) => "20 2016 16"
? parse_time("h hh K KK k kk a", 1481846851155) => "12 12 0 00 24 24 AM"
? parse_time("h a", 1481803651155) => "12 PM"
? parse_time("Z ZZ ZZZ", 0, "America/Los_Angeles") => "-0800 -08:00 America/Los_Angeles"
? parse_time("HH:mm z Z", 0, "+05:30") => "05:30 +05:30 +0530"
? parse_time("HH:mm", 0, "UTC-3") => "21:00"
? parse_time("yyyy-MM-dd", -1) => "1969-12-31"
? parse_time("yyyy-MM-dd", 951782400000) => "2000-02-29"
? parse_time("'o''clock' H", 0) => "o'clock 0"
? parse_time("''yyyy", 0) => "'1970"
? parse_time("yyyy 'open", 0) => undefined
? parse_time("q", 0) => undefined
? parse_time("yyyy", 'x') => undefined
? parse_time("yyyy", '0') => "1970"
? parse_time("yyyy", 0, "Moon/Base") => undefined
? parse_time(NULL, 0) => undefined
? parse_time("yyyy", 1e30) => undefined
? parse_time("yyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyyy", 0) => undefined
? time_to_epoch("2020-04-03 09:45:18 UTC+01:00", "yyyy-MM-dd HH:mm:ss VV") => 1585903518000
? time_to_epoch("18 December 2015", "dd MMMM yyyy") => 1450396800000
? time_to_epoch("2007-12-03 10:15:30.592 America/Los_Angeles", "yyyy-MM-dd HH:mm:ss.SSS z") => 1196705730592
? time_to_epoch("2007-07-03 10:15:30.592 America/Los_Angeles", "yyyy-MM-dd HH:mm:ss.SSS z") => 1183482930592
? time_to_epoch("2016-12-15T18:07:31.155Z", "yyyy-MM-dd'T'HH:mm:ss.SSSX") => 1481825251155
? time_to_epoch("2016-12-15T18:07:31+0100", "yyyy-MM-dd'T'HH:mm:ssZ") => 1481821651000
? time_to_epoch("20161215180731", "yyyyMMddHHmmss") => 1481825251000
? time_to_epoch("1/2/2016 3:04 PM", "d/M/yyyy h:mm a") => 1454339040000
? time_to_epoch("Thu, 15 Dec 16", "E, dd MMM yy") => 1481760000000
? time_to_epoch("2016-350", "yyyy-D") => 1481760000000
? time_to_epoch("24:00", "kk:mm") => 0
? time_to_epoch("1 BC", "y G") => -62167219200000
? time_to_epoch("2015-02-29", "yyyy-MM-dd") => undefined
? time_to_epoch("2016-13-01", "yyyy-MM-dd") => undefined
? time_to_epoch("2016-1-01", "yyyy-MM-dd") => undefined
? time_to_epoch("2016-12-15 x", "yyyy-MM-dd") => undefined
? time_to_epoch("2016", "yyyy 'open") => undefined
? time_to_epoch("2016 Moon/Base", "yyyy VV") => undefined
? time_to_epoch("2016", "q") => undefined
? time_to_epoch(NULL, "yyyy") => undefined
? time_to_epoch("0000000000000000000000000000000000000001", "dddddddddddddddddddddddddddddddddddddddd") => undefined
? time_to_epoch("99999999999999999999", "yyyyyyyyyyyyyyyyyyyy") => undefined
? time_to_epoch("999999999-12-31", "y-M-d") => undefined
? time_to_epoch("9999-12-31", "y-M-d") => 253402214400000
? time_to_epoch("-9999-01-01", "y-M-d") => -377705116800000
? -'1.50' => -1.5
? -1.50 => -1.50
? - - '7' => 7

= rand and newuuid repeat with their seed and differ within a run
? rand() >= 0 AND rand() < 1 => true
? rand() = rand() => false
? newuuid() <> newuuid() => true
? regexp_matches(newuuid(), '^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$') => true
? newuuid() => "de47c9b2-7eb8-4300-9bb5-f2c353e632c3"

= sql_version
? sql_version() => "2016-03-23"
?15 sql_version() => "2015-10-08"
version beta
sql SELECT VALUE sql_version()
out "beta"

= topic
topic things/myThings/thingOne
? topic() => "things/myThings/thingOne"
? topic(1) => "things"
? topic(3) => "thingOne"
? topic(4) => undefined
? topic(0) => undefined
? topic('2') => "myThings"
? topic(NULL) => undefined
topic $aws/rules/BuildingManager/Buildings/Building5/Floor2/Room201/Lights
? topic() => "Buildings/Building5/Floor2/Room201/Lights"
? topic(3) => "Floor2"
topic /lead//trail/
? topic(1) => ""
? topic(3) => ""
? topic(5) => ""
? topic(6) => undefined

= look-ups
? get_thing_shadow("lamp", "arn:aws:iam::123456789012:role/r").state.reported.alarm => "ON"
? get_thing_shadow("lamp", "MyThingShadow", "arn:aws:iam::123456789012:role/r").state.reported.alarm => "ON"
? get_thing_shadow("nobody", "role") => undefined
? get_thing_shadow("later", "role") => later
? get_thing_shadow("later", "role").state + 1 => later
? get_or_default(get_thing_shadow("later", "role"), 1) => later
? get_thing_shadow("broken", "role") => error get_thing_shadow: it is broken
? aws_lambda("arn:aws:lambda:us-east-1:1:function:f", {"payload": 21}) => {"payload":21}
? get_registry_data("DescribeThing", {'thingName': 'lamp'}, "role") => {"thingName":"lamp"}
? get_secret('API_KEY', 'SecretString', 'API_KEY_VALUE', 'role') => "SecretString"
? get_dynamodb("InServiceDevices", "deviceId", 'x', "role").location => error get_dynamodb: UnknownOperationException
? machinelearning_predict('m', 'role', {}) => error machinelearning_predict: Amazon Machine Learning has ended
? machinelearning_predict(UNDEFINED, NULL, 3) => error machinelearning_predict: Amazon Machine Learning has ended
? get_registry_data(UNDEFINED, NULL, "role") => null
? get_secret(UNDEFINED, UNDEFINED, "role") => undefined
? get_secret('API_KEY', [1], "role") => [1]
? get_dynamodb(NULL, 3, [1], "role") => error get_dynamodb: UnknownOperationException
? aws_lambda("arn:aws:lambda:us-east-1:1:function:f", UNDEFINED) => undefined
? aws_lambda(3, NULL) => null
?s get_registry_data('a', 1, 'r') + get_registry_data('a', 2, 'r') => error get_registry_data may be called once in a statement
? get_registry_data('a', 1, 'r') + get_registry_data('a', 2, 'r') => 3
sql SELECT * FROM 'a' WHERE get_thing_shadow("later", "role").x = 1
payload {"a":1}
out later

= transform, the guide's examples
payload {"attributes":{"data1":1,"data2":2},"values":[{"a":3},{"b":4},{"c":5}]}
sql select value transform("enrichArray", attributes, values) from 'A/B'
out [{"a":3,"data1":1,"data2":2},{"b":4,"data1":1,"data2":2},{"c":5,"data1":1,"data2":2}]
sql select value transform("enrichArray", {"key": attributes.data1}, values) from 'A/B'
out [{"a":3,"key":1},{"b":4,"key":1},{"c":5,"key":1}]
? transform("other", attributes, values) => undefined
? transform("enrichArray", values, values) => undefined
? transform("enrichArray", attributes, attributes) => undefined
? transform("enrichArray", attributes, [1]) => undefined
? transform("enrichArray", {'a': 9}, [{'a': 1, 'b': 2}]) => [{"b":2,"a":9}]
? transform("enrichArray", {}, []) => []
payload {"data1":"example","data2":{"a":"first attribute","b":"second attribute","c":[{"x":{"someInt":5,"someString":"hello"},"y":true},{"x":{"someInt":10,"someString":"world"},"y":false}]}}
sql select value transform("enrichArray", (select a, b from data2), (select value c from data2)) from 'A/B'
out [{"x":{"someInt":5,"someString":"hello"},"y":true,"a":"first attribute","b":"second attribute"},{"x":{"someInt":10,"someString":"world"},"y":false,"a":"first attribute","b":"second attribute"}]
