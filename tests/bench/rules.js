// rules.js -- rows about topic rules: beside Node-RED on the same broker, how much one rule takes, what a thousand cost, SQL beside Lua, and what
// those pay whose messages match no rule.
//
// A rate holds when every message that must come back does, once, and in two of three runs 99 of 100 of them within SOON: it is looked for by doubling and
// then by halving. What was tried is said on standard error. PART=manyRules in the environment measures one part of it.
// Readings are of 100 bytes, QoS 0, over a unix socket, four clients; of each `of` readings one is above 30 degrees and comes back on the topic `hot`.
'use strict';
const fs = require('node:fs');
const path = require('node:path');
const { BUILD, broker, ground, load, marginal, median, sleep, spread } = require('./stage');
const { NodeRed, version } = require('./node_red');
const { Operator } = require('../harness/control');

const SOON = 100;
const HALVINGS = 4;
const ROUNDS = 3;
const PLAIN = { tls: false, socket: 'plain' };
const READINGS = { clients: 4, size: 100, gather: 1, warm: 0 };
const STATEMENT = 'SELECT * FROM \'sensors/+/temp\' WHERE temp > 30';
const PLUGIN = [`plugin ${BUILD}/skeeter_rules.so`, 'plugin_opt_most_rules 20000'];
const whole = (n) => Math.round(n).toLocaleString('en');

const readings = (b, options) => load(b, 'rule', { ...READINGS, ...options }, PLAIN);
const each = (r) => r.cpu_s * 1e6 / r.sent;
const came = (r) => r.lost === 0 && r.twice === 0 && r.stray === 0;

// `to`: a broker, or an operator of one.
const create = (to, name, sql) => to.call('CreateTopicRule', { ruleName: name,
	topicRulePayload: { sql, awsIotSqlVersion: '2016-03-23', actions: [{ republish: { roleArn: 'arn:aws:iam::123456789012:role/rules', topic: 'hot', qos: 0 } }] } });

// -- the greatest rate without a loss

async function holds(b, of, rate) {
	const seconds = 2;
	let soon = 0, late = 0;
	while (soon < 2 && late < 2) {
		const r = await readings(b, { rate, of, seconds });
		process.stderr.write(`${rate}/s: ${r.sent} sent, ${r.lost} lost, ${r.twice} twice, ${r.stray} stray, p99 ${r.p99} ms\n`);
		if (!came(r))
			return false;
		const kept = r.p99 <= SOON && r.sent >= rate * seconds * 0.99;
		soon += kept;
		late += !kept;
	}
	return soon === 2;
}

async function greatest(b, of, from) {
	let good = 0, bad = from;
	while (await holds(b, of, bad)) {
		good = bad;
		bad *= 2;
	}
	for (let i = 0; i < HALVINGS; i++) {
		const middle = Math.round((good + bad) / 2);
		if (await holds(b, of, middle))
			good = middle;
		else
			bad = middle;
	}
	return good;
}

// -- beside Node-RED

async function taken(b, other, options) {
	const before = other ? other.cpu() : 0, r = await readings(b, { seconds: 3, of: 2, ...options });
	return { ...r, each: each(r) + (other ? (other.cpu() - before) * 1e6 / r.sent : 0) };
}

// The engines take turns; what is not asked does not run.
async function turns(b, other, options) {
	const got = { node_red: [], skeeter: [] };
	for (let i = 0; i < ROUNDS; i++) {
		await warm(b, other);
		got.node_red.push(await taken(b, other, options));
		await other.stop();
		await create(b, 'hot', STATEMENT);
		got.skeeter.push(await taken(b, null, options));
		await b.call('DeleteTopicRule', { ruleName: 'hot' });
	}
	return got;
}

// Node compiles what it has run often enough.
async function warm(b, other) {
	await other.start();
	await readings(b, { rate: 1500, of: 2, seconds: 2 });
}

async function besideNodeRed(report) {
	const b = await broker('skeeter', { more: PLUGIN, open: true }), other = new NodeRed(b, { from: 'sensors/+/temp', above: 30, to: 'hot' });
	await warm(b, other);
	const node_red = await greatest(b, 2, 2000);
	await other.stop();
	await create(b, 'hot', STATEMENT);
	const skeeter = await greatest(b, 2, 20000);
	await b.call('DeleteTopicRule', { ruleName: 'hot' });
	const load = 'temp > 30, half match, republished';
	report.row({ what: 'readings a second, none lost', load, node_red: whole(node_red), skeeter: whole(skeeter), ratio: (skeeter / node_red).toFixed(1), goal: '>= 4x', met: skeeter >= 4 * node_red });
	const slow = Math.round(node_red / 2), both = await turns(b, other, { rate: slow }), fast = await turns(b, other, { rate: 20000 });
	const p99 = (v) => spread(v.map((r) => r.p99)), cpu = (v) => spread(v.map((r) => r.each), 1);
	const ratio = (got, of) => (median(got.skeeter.map(of)) / median(got.node_red.map(of))).toFixed(2);
	report.row({ what: 'CPU for a reading, broker and rule together, µs', load: `${load}, ${whole(slow)}/s`, node_red: cpu(both.node_red), skeeter: cpu(both.skeeter), ratio: ratio(both, (r) => r.each) });
	report.row({ what: 'p99 from publish to the republished message, ms', load: `${load}, ${whole(slow)}/s`, node_red: p99(both.node_red), skeeter: p99(both.skeeter), ratio: ratio(both, (r) => r.p99) });
	report.row({ what: 'p99 from publish to the republished message, ms', load: `${load}, 20,000/s`, node_red: p99(fast.node_red), skeeter: p99(fast.skeeter),
		ratio: ratio(fast, (r) => r.p99), goal: '< 5', met: median(fast.skeeter.map((r) => r.p99)) < 5 });
	report.row({ what: 'readings lost or twice, all rounds', load: `${load}, 20,000/s`, node_red: lost(fast.node_red), skeeter: lost(fast.skeeter), goal: '0', met: lost(fast.skeeter) === 0 });
	await other.destroy();
	await b.destroy();
}
const lost = (rounds) => rounds.reduce((n, r) => n + r.lost + r.twice + r.stray, 0);

// -- one rule, one message in a hundred

async function seen(b) {
	const { statistics } = await b.call('ListTopicRuleStatistics', {});
	return statistics.find((r) => r.ruleName === 'hot').matched;
}

async function oneInAHundred(report) {
	const b = await broker('skeeter', { more: PLUGIN }), load = 'one SQL rule, one in a hundred matches';
	await create(b, 'hot', STATEMENT);
	const rate = await greatest(b, 100, 50000), paced = Math.min(rate, 100000), before = await seen(b), r = await readings(b, { rate: paced, of: 100, seconds: 4 });
	const missed = r.sent - (await seen(b) - before);
	report.row({ what: 'readings a second, none lost', load, skeeter: whole(rate), goal: '>= 100,000', met: rate >= 100000 });
	report.row({ what: 'p99 from publish to the republished message, ms', load: `${load}, ${whole(paced)}/s`, skeeter: r.p99.toFixed(2) });
	report.row({ what: 'readings that the rule did not see, messages that did not come back', load: `${load}, ${whole(paced)}/s`, skeeter: `${missed}, ${r.lost}`, goal: '0', met: missed === 0 && came(r) });
	await b.destroy();
}

// -- many rules on filters of their own

async function withRules(n) {
	const b = await broker('skeeter', { more: PLUGIN });
	const operators = [];
	while (operators.length < Math.min(n, 32))
		operators.push(await Operator.connect(b.socket));
	await Promise.all(operators.map(async (o, k) => {
		for (let i = k; i < n; i += operators.length)
			await create(o, `hot${i}`, `SELECT * FROM 'sensors/load-${i}/temp' WHERE temp > 30`);
		await o.end();
	}));
	await b.stop();
	await b.start();
	await sleep(1000);
	return { b, n, memory: b.memory() };
}

// The broker without a rule gets the same topics.
async function manyRules(report) {
	const all = [];
	for (const n of [0, 1, 100, 10000])
		all.push(await withRules(n));
	const [none, one, ...more] = all, most = more.at(-1), bytes = (most.memory - one.memory) * 1024 / (most.n - one.n);
	report.row({ what: 'private memory for an SQL rule, bytes', load: `${whole(most.n)} rules on filters of their own, after a restart`, skeeter: whole(bytes), goal: '< 1,024', met: bytes < 1024 });
	for (const x of [one, ...more]) {
		const options = { rate: 10000, of: 100, seconds: 2, things: x.n };
		x.cpu = [];
		for (let i = 0; i < ROUNDS; i++) {
			const before = each(await readings(none.b, options));
			x.cpu.push(each(await readings(x.b, options)) - before);
		}
		const ratio = median(x.cpu) / median(one.cpu);
		report.row({ what: 'CPU that the rules add to a reading that one of them matches, µs', load: `${whole(x.n)} rules on filters of their own, one reading in a hundred republished, 10,000/s`,
			skeeter: `+${spread(x.cpu)}`, ratio: ratio.toFixed(2), ...x === most ? { goal: '<= 3x that of one rule', met: ratio <= 3 } : {} });
	}
	for (const x of all)
		await x.b.destroy();
}

// -- the same rule in Lua

const LUA = `rule "hot" {
	topic = "sensors/+/temp",
	where = function(m) return m.temp > 30 end,
	run = function(m) publish("hot", m.raw) end,
}
`;

async function inLua(report) {
	const sql = await broker('skeeter', { more: PLUGIN });
	await create(sql, 'hot', STATEMENT);
	const folder = fs.mkdtempSync(path.join(sql.dir, 'lua-'));
	fs.writeFileSync(path.join(folder, 'hot.lua'), LUA);
	const lua = await broker('skeeter', { more: [...PLUGIN, `plugin_opt_folder ${folder}`] });
	for (const [words, of] of [['half match', 2], ['one in a hundred matches', 100]]) {
		const got = { sql: [], lua: [] };
		for (let i = 0; i < ROUNDS; i++) {
			got.sql.push(await readings(sql, { rate: 10000, of, seconds: 2 }));
			got.lua.push(await readings(lua, { rate: 10000, of, seconds: 2 }));
		}
		const cost = (v) => median(v.map(each));
		report.row({ what: 'CPU for a reading, broker and rule together, µs', load: `temp > 30, ${words}, republished, 10,000/s`,
			skeeter: `SQL ${spread(got.sql.map(each))}; Lua ${spread(got.lua.map(each))}`, ratio: `Lua ${(cost(got.lua) / cost(got.sql)).toFixed(2)}` });
		report.row({ what: 'readings lost or twice, all rounds', load: words, skeeter: `SQL ${lost(got.sql)}; Lua ${lost(got.lua)}`, goal: '0', met: lost(got.sql) + lost(got.lua) === 0 });
	}
	await sql.destroy();
	await lua.destroy();
}

// -- messages that match no rule

const NEAR = 100; // rules

async function near(b) {
	for (let i = 0; i < NEAR; i++)
		await create(b, `near${i}`, `SELECT * FROM 'bench/load-0/none/${i}' WHERE temp > 30`);
	return b;
}

async function noRule(report) {
	const without = await broker('skeeter'), within = await near(await broker('skeeter', { more: PLUGIN })), cpu = { without: [], within: [] };
	for (let i = 0; i < 5; i++) {
		const options = { seconds: 2, size: 64, clients: 50, rate: 8000 };
		cpu.without.push((await load(without, 'plain', options, PLAIN)).cpu_us);
		cpu.within.push((await load(within, 'plain', options, PLAIN)).cpu_us);
	}
	await without.destroy();
	await within.destroy();
	const added = cpu.within.map((c, i) => c - cpu.without[i]), words = `${NEAR} rules beside it, QoS 0, one in, one out`;
	report.row({ what: 'CPU added to a message that matches no rule, µs', load: `${words}, 8,000/s`, skeeter: `+${spread(added)}, without the plugin ${spread(cpu.without)}`,
		ratio: (median(cpu.within) / median(cpu.without)).toFixed(3), goal: '< +0.3', met: median(added) < 0.3 });
	const count = async (options, prepare) => {
		const b = await ground('skeeter', options);
		await prepare(b);
		const n = await marginal(b, 1000, (messages) => load(b, 'plain', { messages, seconds: 300, clients: 1, window: 1 }, PLAIN));
		await b.destroy();
		return n;
	};
	const few = await count({}, async () => {}), more = await count({ more: PLUGIN }, near);
	report.row({ what: 'instructions added to a message that matches no rule', load: words, skeeter: `+${whole(more - few)} to ${whole(few)}`, ratio: (more / few).toFixed(3) });
}

module.exports = async function rules(report) {
	report.note(`Node-RED ${version} of npm with Node ${process.version}: mqtt in, which parses JSON, switch, mqtt out; on the broker that has Skeeter's rules, in turns with them.\n`);
	const parts = [besideNodeRed, oneInAHundred, manyRules, inLua, noRule];
	for (const part of parts.filter((p) => !process.env.PART || p.name === process.env.PART))
		await part(report);
};
module.exports.columns = { what: 'what', load: 'under', node_red: 'Node-RED', skeeter: 'Skeeter', ratio: 'ratio', goal: 'goal', met: 'met' };
