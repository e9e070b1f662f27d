# conversions.t -- every cell of the tables of casts and of the standard conversions.

= cast AS String
? cast(3 AS String) => "3"
? cast(-3 AS String) => "-3"
? cast(0 AS String) => "0"
? cast(12345678901234567890 AS String) => "12345678901234567890"
? cast(2.5 AS String) => "2.5"
? cast(-2.5 AS String) => "-2.5"
? cast(0.4 AS String) => "0.4"
? cast(true AS String) => "true"
? cast(false AS String) => "false"
? cast('7' AS String) => "7"
? cast('-1.2' AS String) => "-1.2"
? cast('5E-12' AS String) => "5E-12"
? cast('1e3' AS String) => "1e3"
? cast('1e+3' AS String) => "1e+3"
? cast(' 7' AS String) => " 7"
? cast('7.' AS String) => "7."
? cast('.5' AS String) => ".5"
? cast('+7' AS String) => "+7"
? cast('' AS String) => ""
? cast('abc' AS String) => "abc"
? cast('True' AS String) => "True"
? cast('FALSE' AS String) => "FALSE"
? cast([1,'a',null,true] AS String) => "[1,\"a\",null,true]"
? cast({'a':1,'b':'x','c':null} AS String) => "{\"a\":1,\"b\":\"x\",\"c\":null}"
? cast(NULL AS String) => undefined
? cast(UNDEFINED AS String) => undefined

= cast AS Nvarchar
? cast(3 AS Nvarchar) => "3"

= cast AS Text
? cast(3 AS Text) => "3"

= cast AS Ntext
? cast(3 AS Ntext) => "3"

= cast AS varchar
? cast(3 AS varchar) => "3"

= cast AS Int rounds down
? cast(3 AS Int) => 3
? cast(-3 AS Int) => -3
? cast(0 AS Int) => 0
? cast(12345678901234567890 AS Int) => 12345678901234567890
? cast(2.5 AS Int) => 2
? cast(-2.5 AS Int) => -3
? cast(0.4 AS Int) => 0
? cast(true AS Int) => 1
? cast(false AS Int) => 0
? cast('7' AS Int) => 7
? cast('-1.2' AS Int) => -2
? cast('5E-12' AS Int) => 0
? cast('1e3' AS Int) => 1000
? cast('1e+3' AS Int) => undefined
? cast(' 7' AS Int) => undefined
? cast('7.' AS Int) => undefined
? cast('.5' AS Int) => undefined
? cast('+7' AS Int) => undefined
? cast('' AS Int) => undefined
? cast('abc' AS Int) => undefined
? cast('True' AS Int) => undefined
? cast('FALSE' AS Int) => undefined
? cast([1,'a',null,true] AS Int) => undefined
? cast({'a':1,'b':'x','c':null} AS Int) => undefined
? cast(NULL AS Int) => undefined
? cast(UNDEFINED AS Int) => undefined

= cast AS INTEGER rounds down
? cast(3 AS INTEGER) => 3
? cast(-3 AS INTEGER) => -3
? cast(0 AS INTEGER) => 0
? cast(12345678901234567890 AS INTEGER) => 12345678901234567890
? cast(2.5 AS INTEGER) => 2
? cast(-2.5 AS INTEGER) => -3
? cast(0.4 AS INTEGER) => 0
? cast(true AS INTEGER) => 1
? cast(false AS INTEGER) => 0
? cast('7' AS INTEGER) => 7
? cast('-1.2' AS INTEGER) => -2
? cast('5E-12' AS INTEGER) => 0
? cast('1e3' AS INTEGER) => 1000
? cast('1e+3' AS INTEGER) => undefined
? cast(' 7' AS INTEGER) => undefined
? cast('7.' AS INTEGER) => undefined
? cast('.5' AS INTEGER) => undefined
? cast('+7' AS INTEGER) => undefined
? cast('' AS INTEGER) => undefined
? cast('abc' AS INTEGER) => undefined
? cast('True' AS INTEGER) => undefined
? cast('FALSE' AS INTEGER) => undefined
? cast([1,'a',null,true] AS INTEGER) => undefined
? cast({'a':1,'b':'x','c':null} AS INTEGER) => undefined
? cast(NULL AS INTEGER) => undefined
? cast(UNDEFINED AS INTEGER) => undefined

= cast AS Double
? cast(3 AS Double) => 3
? cast(-3 AS Double) => -3
? cast(0 AS Double) => 0
? cast(12345678901234567890 AS Double) => 12345678901234567000
? cast(2.5 AS Double) => 2.5
? cast(-2.5 AS Double) => -2.5
? cast(0.4 AS Double) => 0.4
? cast(true AS Double) => 1
? cast(false AS Double) => 0
? cast('7' AS Double) => 7
? cast('-1.2' AS Double) => -1.2
? cast('5E-12' AS Double) => 5E-12
? cast('1e3' AS Double) => 1000
? cast('1e+3' AS Double) => undefined
? cast(' 7' AS Double) => undefined
? cast('7.' AS Double) => undefined
? cast('.5' AS Double) => undefined
? cast('+7' AS Double) => undefined
? cast('' AS Double) => undefined
? cast('abc' AS Double) => undefined
? cast('True' AS Double) => undefined
? cast('FALSE' AS Double) => undefined
? cast([1,'a',null,true] AS Double) => undefined
? cast({'a':1,'b':'x','c':null} AS Double) => undefined
? cast(NULL AS Double) => undefined
? cast(UNDEFINED AS Double) => undefined

= cast AS Decimal
? cast(3 AS Decimal) => 3
? cast(-3 AS Decimal) => -3
? cast(0 AS Decimal) => 0
? cast(12345678901234567890 AS Decimal) => 12345678901234567890
? cast(2.5 AS Decimal) => 2.5
? cast(-2.5 AS Decimal) => -2.5
? cast(0.4 AS Decimal) => 0.4
? cast(true AS Decimal) => 1
? cast(false AS Decimal) => 0
? cast('7' AS Decimal) => 7
? cast('-1.2' AS Decimal) => -1.2
? cast('5E-12' AS Decimal) => 5E-12
? cast('1e3' AS Decimal) => 1000
? cast('1e+3' AS Decimal) => undefined
? cast(' 7' AS Decimal) => undefined
? cast('7.' AS Decimal) => undefined
? cast('.5' AS Decimal) => undefined
? cast('+7' AS Decimal) => undefined
? cast('' AS Decimal) => undefined
? cast('abc' AS Decimal) => undefined
? cast('True' AS Decimal) => undefined
? cast('FALSE' AS Decimal) => undefined
? cast([1,'a',null,true] AS Decimal) => undefined
? cast({'a':1,'b':'x','c':null} AS Decimal) => undefined
? cast(NULL AS Decimal) => undefined
? cast(UNDEFINED AS Decimal) => undefined

= cast AS Bool
? cast(3 AS Bool) => true
? cast(-3 AS Bool) => true
? cast(0 AS Bool) => false
? cast(12345678901234567890 AS Bool) => true
? cast(2.5 AS Bool) => true
? cast(-2.5 AS Bool) => true
? cast(0.4 AS Bool) => true
? cast(true AS Bool) => true
? cast(false AS Bool) => false
? cast('7' AS Bool) => undefined
? cast('-1.2' AS Bool) => undefined
? cast('5E-12' AS Bool) => undefined
? cast('1e3' AS Bool) => undefined
? cast('1e+3' AS Bool) => undefined
? cast(' 7' AS Bool) => undefined
? cast('7.' AS Bool) => undefined
? cast('.5' AS Bool) => undefined
? cast('+7' AS Bool) => undefined
? cast('' AS Bool) => undefined
? cast('abc' AS Bool) => undefined
? cast('True' AS Bool) => true
? cast('FALSE' AS Bool) => false
? cast([1,'a',null,true] AS Bool) => undefined
? cast({'a':1,'b':'x','c':null} AS Bool) => undefined
? cast(NULL AS Bool) => undefined
? cast(UNDEFINED AS Bool) => undefined

= cast AS Boolean
? cast(3 AS Boolean) => true
? cast(-3 AS Boolean) => true
? cast(0 AS Boolean) => false
? cast(12345678901234567890 AS Boolean) => true
? cast(2.5 AS Boolean) => true
? cast(-2.5 AS Boolean) => true
? cast(0.4 AS Boolean) => true
? cast(true AS Boolean) => true
? cast(false AS Boolean) => false
? cast('7' AS Boolean) => undefined
? cast('-1.2' AS Boolean) => undefined
? cast('5E-12' AS Boolean) => undefined
? cast('1e3' AS Boolean) => undefined
? cast('1e+3' AS Boolean) => undefined
? cast(' 7' AS Boolean) => undefined
? cast('7.' AS Boolean) => undefined
? cast('.5' AS Boolean) => undefined
? cast('+7' AS Boolean) => undefined
? cast('' AS Boolean) => undefined
? cast('abc' AS Boolean) => undefined
? cast('True' AS Boolean) => true
? cast('FALSE' AS Boolean) => false
? cast([1,'a',null,true] AS Boolean) => undefined
? cast({'a':1,'b':'x','c':null} AS Boolean) => undefined
? cast(NULL AS Boolean) => undefined
? cast(UNDEFINED AS Boolean) => undefined

= 2015-10-08 keeps decimal places
?15 cast(3 AS Int) => 3
?15 cast(-3 AS Int) => -3
?15 cast(0 AS Int) => 0
?15 cast(12345678901234567890 AS Int) => 12345678901234567890
?15 cast(2.5 AS Int) => 2
?15 cast(-2.5 AS Int) => -3
?15 cast(0.4 AS Int) => 0
?15 cast(true AS Int) => 1
?15 cast(false AS Int) => 0
?15 cast('7' AS Int) => 7
?15 cast('-1.2' AS Int) => -2
?15 cast('5E-12' AS Int) => 0
?15 cast('1e3' AS Int) => 1000
? cast(10.0 AS Double) => 10
?15 cast(10.0 AS Double) => 10.0
?15 cast(true AS Double) => 1.0
?15 cast(false AS Double) => 0.0
?15 10.0 => 10.0
?15 10.0 + 1 => 11.0
?15 2.50 * 2 => 5.00
? 10.0 => 10
? 10.0 + 1 => 11
? 2.50 => 2.50
? 2.50 + 0.25 => 2.75
? 1.25 + 1.25 => 2.5
? 1e3 => 1000

= to Decimal, where a function or a comparison wants one
? 3 * 1.0 => 3
? 3 >= 0 => true
? abs(3) => 3
? -3 * 1.0 => -3
? -3 >= 0 => false
? abs(-3) => 3
? 0 * 1.0 => 0
? 0 >= 0 => true
? abs(0) => 0
? 12345678901234567890 * 1.0 => 12345678901234567890
? 12345678901234567890 >= 0 => true
? abs(12345678901234567890) => 12345678901234567890
? 2.5 * 1.0 => 2.5
? 2.5 >= 0 => true
? abs(2.5) => 2.5
? -2.5 * 1.0 => -2.5
? -2.5 >= 0 => false
? abs(-2.5) => 2.5
? 0.4 * 1.0 => 0.4
? 0.4 >= 0 => true
? abs(0.4) => 0.4
? true * 1.0 => undefined
? true >= 0 => undefined
? abs(true) => undefined
? false * 1.0 => undefined
? false >= 0 => undefined
? abs(false) => undefined
? '7' * 1.0 => 7
? '7' >= 0 => true
? abs('7') => 7
? '-1.2' * 1.0 => -1.2
? '-1.2' >= 0 => false
? abs('-1.2') => 1.2
? '5E-12' * 1.0 => 5E-12
? '5E-12' >= 0 => true
? abs('5E-12') => 5E-12
? '1e3' * 1.0 => 1000
? '1e3' >= 0 => true
? abs('1e3') => 1000
? '1e+3' * 1.0 => undefined
? '1e+3' >= 0 => undefined
? abs('1e+3') => undefined
? ' 7' * 1.0 => undefined
? ' 7' >= 0 => undefined
? abs(' 7') => undefined
? '7.' * 1.0 => undefined
? '7.' >= 0 => undefined
? abs('7.') => undefined
? '.5' * 1.0 => undefined
? '.5' >= 0 => undefined
? abs('.5') => undefined
? '+7' * 1.0 => undefined
? '+7' >= 0 => undefined
? abs('+7') => undefined
? '' * 1.0 => undefined
? '' >= 0 => undefined
? abs('') => undefined
? 'abc' * 1.0 => undefined
? 'abc' >= 0 => undefined
? abs('abc') => undefined
? 'True' * 1.0 => undefined
? 'True' >= 0 => undefined
? abs('True') => undefined
? 'FALSE' * 1.0 => undefined
? 'FALSE' >= 0 => undefined
? abs('FALSE') => undefined
? [1,'a',null,true] * 1.0 => undefined
? [1,'a',null,true] >= 0 => undefined
? abs([1,'a',null,true]) => undefined
? {'a':1,'b':'x','c':null} * 1.0 => undefined
? {'a':1,'b':'x','c':null} >= 0 => undefined
? abs({'a':1,'b':'x','c':null}) => undefined
? NULL * 1.0 => undefined
? NULL >= 0 => undefined
? abs(NULL) => undefined
? UNDEFINED * 1.0 => undefined
? UNDEFINED >= 0 => undefined
? abs(UNDEFINED) => undefined

= to Int, where get wants an index: decimals to the nearest, strings truncated
? get(['a','b','c','d'], 3) => "d"
? get(['a','b','c','d'], -3) => undefined
? get(['a','b','c','d'], 0) => "a"
? get(['a','b','c','d'], 12345678901234567890) => undefined
? get(['a','b','c','d'], 2.5) => "d"
? get(['a','b','c','d'], -2.5) => undefined
? get(['a','b','c','d'], 0.4) => "a"
? get(['a','b','c','d'], true) => undefined
? get(['a','b','c','d'], false) => undefined
? get(['a','b','c','d'], '7') => undefined
? get(['a','b','c','d'], '-1.2') => undefined
? get(['a','b','c','d'], '5E-12') => "a"
? get(['a','b','c','d'], '1e3') => undefined
? get(['a','b','c','d'], '1e+3') => undefined
? get(['a','b','c','d'], ' 7') => undefined
? get(['a','b','c','d'], '7.') => undefined
? get(['a','b','c','d'], '.5') => undefined
? get(['a','b','c','d'], '+7') => undefined
? get(['a','b','c','d'], '') => undefined
? get(['a','b','c','d'], 'abc') => undefined
? get(['a','b','c','d'], 'True') => undefined
? get(['a','b','c','d'], 'FALSE') => undefined
? get(['a','b','c','d'], [1,'a',null,true]) => undefined
? get(['a','b','c','d'], {'a':1,'b':'x','c':null}) => undefined
? get(['a','b','c','d'], NULL) => undefined
? get(['a','b','c','d'], UNDEFINED) => undefined

= to Boolean, where AND wants one
? 3 AND true => undefined
? -3 AND true => undefined
? 0 AND true => undefined
? 12345678901234567890 AND true => undefined
? 2.5 AND true => undefined
? -2.5 AND true => undefined
? 0.4 AND true => undefined
? true AND true => true
? false AND true => false
? '7' AND true => undefined
? '-1.2' AND true => undefined
? '5E-12' AND true => undefined
? '1e3' AND true => undefined
? '1e+3' AND true => undefined
? ' 7' AND true => undefined
? '7.' AND true => undefined
? '.5' AND true => undefined
? '+7' AND true => undefined
? '' AND true => undefined
? 'abc' AND true => undefined
? 'True' AND true => true
? 'FALSE' AND true => false
? [1,'a',null,true] AND true => undefined
? {'a':1,'b':'x','c':null} AND true => undefined
? NULL AND true => undefined
? UNDEFINED AND true => undefined

= to String, where length wants one
? length(3) => 1
? upper(3) => "3"
? length(-3) => 2
? upper(-3) => "-3"
? length(0) => 1
? upper(0) => "0"
? length(12345678901234567890) => 20
? upper(12345678901234567890) => "12345678901234567890"
? length(2.5) => 3
? upper(2.5) => "2.5"
? length(-2.5) => 4
? upper(-2.5) => "-2.5"
? length(0.4) => 3
? upper(0.4) => "0.4"
? length(true) => 4
? upper(true) => "TRUE"
? length(false) => 5
? upper(false) => "FALSE"
? length('7') => 1
? upper('7') => "7"
? length('-1.2') => 4
? upper('-1.2') => "-1.2"
? length('5E-12') => 5
? upper('5E-12') => "5E-12"
? length('1e3') => 3
? upper('1e3') => "1E3"
? length('1e+3') => 4
? upper('1e+3') => "1E+3"
? length(' 7') => 2
? upper(' 7') => " 7"
? length('7.') => 2
? upper('7.') => "7."
? length('.5') => 2
? upper('.5') => ".5"
? length('+7') => 2
? upper('+7') => "+7"
? length('') => 0
? upper('') => ""
? length('abc') => 3
? upper('abc') => "ABC"
? length('True') => 4
? upper('True') => "TRUE"
? length('FALSE') => 5
? upper('FALSE') => "FALSE"
? length([1,'a',null,true]) => 17
? upper([1,'a',null,true]) => "[1,\"A\",NULL,TRUE]"
? length({'a':1,'b':'x','c':null}) => 24
? upper({'a':1,'b':'x','c':null}) => "{\"A\":1,\"B\":\"X\",\"C\":NULL}"
? length(NULL) => undefined
? upper(NULL) => undefined
? length(UNDEFINED) => undefined
? upper(UNDEFINED) => undefined
