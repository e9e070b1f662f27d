// parts.js -- what the engines cost without a broker: the *_bench programs, as they print it.
'use strict';
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { BUILD } = require('./stage');

module.exports = async function parts(report) {
	const programs = fs.readdirSync(path.join(BUILD, 'bench')).filter((f) => f.endsWith('_bench')).sort();
	let all = '';
	for (const p of programs) {
		const said = execFileSync(path.join(BUILD, 'bench', p), { encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] }).trim();
		report.note(`${p}:\n\n\`\`\`\n${said}\n\`\`\`\n`);
		all += `${said}\n`;
	}
	const [, seconds, what] = /^opening: ([\d.]+) s for (.*)$/m.exec(all);
	report.row({ what: 'recovery, s', load: what, skeeter: seconds, goal: '<= 5', met: Number(seconds) <= 5 });
	const size = (f) => execFileSync('sh', ['-c', 'strip -o "$2" "$1" && stat -c %s "$2" && rm "$2"', 'sh', path.join(BUILD, f), path.join(BUILD, 'bench', 'stripped')], { encoding: 'utf8' });
	for (const f of fs.readdirSync(BUILD).filter((x) => x.endsWith('.so')).sort())
		report.row({ what: `${f}, stripped, KiB`, skeeter: (Number(size(f)) / 1024).toFixed(0) });
};
