// functions.js -- a broker with functions, and functions in Lua on it.
'use strict';
const { start } = require('./broker');
const { zip } = require('./zip');

const ROLE = 'arn:aws:iam::123456789012:role/functions';
const code = (text, file = 'index.lua', how = {}) => zip({ [file]: text }, how).toString('base64');
const lua = (FunctionName, text, more = {}) => ({ FunctionName, Runtime: 'lua5.4', Handler: 'index.handler', Role: ROLE, Code: { ZipFile: code(text) }, ...more });

function functions(t, options = {}, more = {}) {
	return start(t, { plugins: ['core', 'registry', 'auth', 'shadow', 'functions'], ...more, options: { functions: options, ...more.options } });
}

module.exports = { functions, lua, code, ROLE };
