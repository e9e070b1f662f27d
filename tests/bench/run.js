// run.js -- `make bench`: every row of the design's table that exists, measured, each with its goal; written to BUILD/bench.md.
//
// Usage: node tests/bench/run.js [SECTION ...], all without one. SKEETER_BUILD says where the build is. A section that fails is said and the others go on.
'use strict';
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('../harness/test');
const { BUILD, cleanup } = require('./stage');

const SECTIONS = {
	instructions: 'Instructions, by callgrind',
	messages: 'Plain messages',
	devices: 'Connects and idle devices',
	shadows: 'Shadows',
	redis: 'The store in Redis',
	http: 'HTTP',
	things: 'A registry full of things',
	rules: 'Rules',
	sinks: 'Sinks',
	gap: 'The broker\'s thread',
	parts: 'Parts, without a broker',
};
const OPTIONAL = { soak: 'A load that stays' };
// A section may have others: its `columns`.
const COLUMNS = { what: 'what', load: 'under', bare: 'bare Mosquitto', dynsec: 'dynamic-security', skeeter: 'Skeeter', ratio: 'ratio', goal: 'goal', met: 'met' };

class Report {
	constructor() { this.text = []; }
	say(line) {
		console.log(line);
		this.text.push(line);
		fs.writeFileSync(path.join(BUILD, 'bench.md'), `${this.text.join('\n')}\n`);
	}
	head(title, columns = COLUMNS) {
		this.say(`\n## ${title}\n`);
		this.columns = columns;
		this.open = false;
	}
	row(r) {
		if (!this.open) {
			this.say(`| ${Object.values(this.columns).join(' | ')} |`);
			this.say(`|${Object.keys(this.columns).map(() => '---').join('|')}|`);
			this.open = true;
		}
		const met = r.met === undefined ? '' : r.met ? 'yes' : '**no**';
		this.say(`| ${Object.keys(this.columns).map((c) => (c === 'met' ? met : r[c] ?? '')).join(' | ')} |`);
	}
	note(line) { this.say(line); this.open = false; }
}

const report = new Report(), asked = process.argv.slice(2);
report.say(`# What it costs\n\n${os.cpus().length} cores of ${os.cpus()[0].model.trim()}, ${Math.round(os.totalmem() / 2 ** 30)} GiB, load average ` +
	`${os.loadavg()[0].toFixed(1)} at the start; the load generator runs on the same cores. Rounds of the kinds of broker take turns; medians, with least and most.`);
for (const name of asked.length ? asked : Object.keys(SECTIONS)) {
	test(`${name} is measured`, async (t) => {
		const began = Date.now();
		t.after(cleanup);
		t.onFail(() => 'what was measured before stands in bench.md');
		const section = require(`./${path.basename(name)}.js`);
		report.head({ ...SECTIONS, ...OPTIONAL }[name] || name, section.columns);
		await section(report);
		report.note(`\nTook ${Math.round((Date.now() - began) / 1000)} s.`);
	}, { seconds: { soak: 7200, rules: 1200, sinks: 1200 }[name] || 600 });
}
