# Three lines a case: topic, payload, what is read: "device TYPE life count", - for what is not told; nothing, foreign, or "broken: why".
iotbutton/G030PM0123456789
{"serialNumber":"G030PM0123456789","batteryVoltage":"1568mV","clickType":"SINGLE"}
G030PM0123456789 SINGLE 95.43 -

iotbutton/G030PM0123456789
{"serialNumber":"G030PM0123456789","batteryVoltage":"880mV","clickType":"LONG"}
G030PM0123456789 LONG 0.00 -

iotbutton/x
{"clickType":"DOUBLE","batteryVoltage":"full"}
x DOUBLE - -

iotbutton/x
{"clickType":"TRIPLE"}
nothing

iotbutton/x
{"clickType":"single"}
nothing

iotbutton/x
{"clickType":["SINGLE"]}
nothing

iotbutton/x
{"clickType":"SINGLE"
broken: expected ',' or '}'

iotbutton/x

broken: expected a value

iotbutton/x/y
{"clickType":"SINGLE"}
foreign

iotbutton/
{"clickType":"SINGLE"}
foreign

zigbee2mqtt/kitchen
{"action":"double","battery":97,"linkquality":120}
kitchen DOUBLE 97.00 -

zigbee2mqtt/kitchen
{"action":"hold","battery":250}
kitchen LONG 100.00 -

zigbee2mqtt/kitchen
{"action":"","battery":41.5}
kitchen NONE 41.50 -

zigbee2mqtt/lamp
{"state":"ON","brightness":200}
nothing

zigbee2mqtt/kitchen/action
single
kitchen SINGLE - -

zigbee2mqtt/kitchen/action
release
nothing

stat/desk/RESULT
{"Button1":{"Action":"HOLD"}}
desk LONG - -

stat/desk/RESULT
{"POWER":"ON"}
nothing

shellies/shellybutton1-A4E57C/input_event/0
{"event":"SS","event_cnt":7}
shellybutton1-A4E57C DOUBLE - 7

shellies/shellybutton1-A4E57C/sensor/battery
62
shellybutton1-A4E57C NONE 62.00 -

shellies/shellybutton1-A4E57C/sensor/battery
"62"
nothing

shellyplusi4-a8032ab1/events/rpc
{"src":"shellyplusi4-a8032ab1","method":"NotifyEvent","params":{"ts":1.5,"events":[{"component":"input:0","id":0,"event":"long_push"}]}}
shellyplusi4-a8032ab1 LONG - -

shellyplusi4-a8032ab1/events/rpc
{"method":"NotifyEvent","params":{"events":[]}}
nothing

desk/event/button/state
{"event_type":"single"}
desk SINGLE - -

gpio/door/click
LONG
door LONG - -

gpio/door/click
{"clickType":"LONG"}
nothing

other/topic
{"clickType":"SINGLE"}
foreign
