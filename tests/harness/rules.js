// rules.js -- a broker with skeeter_rules, rules made of SQL, and a folder of rules in Lua.
//
//   const r = await rules(t, { lua: { 'a.lua': 'rule "a" { ... }' } })      r.b the broker, r.op an operator who hears all
//   await r.make('hot', "SELECT * FROM 'a'", republish('b'))               CreateTopicRule
//   await r.statistics('hot')                                              {matched, passed, failed, dropped, ...}
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { create } = require('./broker');
const { until } = require('./test');

const PLUGINS = ['core', 'registry', 'auth', 'shadow', 'rules'];
const roleArn = 'arn:aws:iam::123456789012:role/r';
const republish = (topic, more = {}) => ({ republish: { roleArn, topic, ...more } });

class Rules {
	constructor(b) {
		this.b = b;
		this.folder = path.join(b.dir, 'rules');
	}

	// A file of rules appears as editors write it: whole. undefined: it goes.
	write(name, text) {
		const file = path.join(this.folder, name);
		if (text === undefined)
			return fs.rmSync(file);
		fs.writeFileSync(`${file}.new`, text);
		return fs.renameSync(`${file}.new`, file);
	}
	// The same, and waits until the log says that it is in force.
	async reload(name, text) {
		const from = this.b.log.length;
		this.write(name, text);
		await this.b.logged(/rules: \d+ rules of \d+ files in .* are in force/, from);
	}

	make(ruleName, sql, actions, more = {}) {
		const topicRulePayload = { sql, actions: [].concat(actions), awsIotSqlVersion: '2016-03-23', ...more };
		return this.b.call('CreateTopicRule', { ruleName, topicRulePayload });
	}
	replace(ruleName, sql, actions, more = {}) {
		const topicRulePayload = { sql, actions: [].concat(actions), awsIotSqlVersion: '2016-03-23', ...more };
		return this.b.call('ReplaceTopicRule', { ruleName, topicRulePayload });
	}
	async statistics(ruleName) { return (await this.b.call('ListTopicRuleStatistics', { ruleName })).statistics[0]; }
	// Waits until the rule's numbers are at least these.
	counted(ruleName, least) {
		let seen;
		return until(() => `${ruleName} to count ${JSON.stringify(least)}; it has ${JSON.stringify(seen)}`, async () => {
			seen = await this.statistics(ruleName);
			return seen && Object.keys(least).every((k) => seen[k] >= least[k]) && seen;
		});
	}
	async counter(name) { return (await this.b.call('DescribeCounters', {})).counters[name]; }
}

// Not started yet. spec.lua: files of the folder by name; spec.rules: options of skeeter_rules.
async function prepare(t, spec = {}) {
	const b = create(t, { plugins: PLUGINS, ...spec });
	const r = new Rules(b);
	const folder = spec.lua && r.folder;
	if (folder)
		fs.mkdirSync(folder);
	for (const [name, text] of Object.entries(spec.lua || {}))
		r.write(name, text);
	b.spec.options = { ...spec.options, rules: { folder, ...spec.rules } };
	return r;
}

async function rules(t, spec = {}) {
	const r = await prepare(t, spec);
	await r.b.start();
	r.op = await r.b.operator();
	return r;
}

module.exports = { rules, prepare, republish, roleArn, PLUGINS };
