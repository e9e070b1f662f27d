// skeeter check-config: files that are missing or closed to the broker's user, include_dir, and the exit codes.
'use strict';
const assert = require('node:assert/strict');
const { spawnSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('../../harness/test');
const { create, BUILD } = require('../../harness/broker');

function folder(t) {
	const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'skeeter-check-'));
	fs.chmodSync(dir, 0o755);
	t.after(() => fs.rmSync(dir, { recursive: true, force: true }));
	return dir;
}
function check(file) {
	const r = spawnSync(path.join(BUILD, 'skeeter'), ['check-config', file], { encoding: 'utf8' });
	return { code: r.status, out: r.stdout, err: r.stderr };
}
const BASE = ['set_tcp_nodelay true', 'persistence true', 'autosave_interval 60'];

test('what is missing, closed to the broker, or open to everybody is found at its line', async (t) => {
	const dir = folder(t), conf = path.join(dir, 'mosquitto.conf'), at = (f) => path.join(dir, f);
	for (const [name, mode] of [['pw', 0o644], ['key', 0o000], ['ca', 0o644], ['closed/crt', 0o644]]) {
		fs.mkdirSync(path.dirname(at(name)), { recursive: true });
		fs.writeFileSync(at(name), '');
		fs.chmodSync(at(name), mode);
	}
	fs.chmodSync(at('closed'), 0o700);
	fs.writeFileSync(conf, [...BASE, process.getuid() === 0 ? 'user nobody' : '', `cafile ${at('ca')}`, `keyfile ${at('key')}`, `password_file ${at('pw')}`,
		`acl_file ${at('none')}`, process.getuid() === 0 ? `certfile ${at('closed/crt')}` : '', `plugin_opt_data ${at('no/data')}`].join('\n'));
	const { code, out } = check(conf);
	assert.equal(code, 2, out);
	assert.match(out, new RegExp(`^error +${conf}:6: keyfile ${at('key')}: \\S+ may not read it; write: chgrp and chmod`, 'm'));
	assert.match(out, new RegExp(`^warning +${conf}:7: password_file ${at('pw')}: every user of this machine may read this secret; write: chmod o-r`, 'm'));
	assert.match(out, new RegExp(`^error +${conf}:8: acl_file ${at('none')}: No such file or directory; write: `, 'm'));
	if (process.getuid() === 0)
		assert.match(out, new RegExp(`^error +${conf}:9: certfile .*: nobody may not enter ${at('closed')}; write: `, 'm'));
	assert.match(out, new RegExp(`^error +${conf}:10: plugin_opt_data .*: ${at('no')} is no folder; write: `, 'm'));
	assert.doesNotMatch(out, /: cafile /);
});

test('secrets that the broker would refuse are an error, and none is shown', async (t) => {
	const dir = folder(t), conf = path.join(dir, 'mosquitto.conf'), file = path.join(dir, 'secrets.json');
	const judge = (text, mode) => {
		fs.writeFileSync(file, text);
		fs.chmodSync(file, mode);
		const { out } = check(conf);
		assert.doesNotMatch(out, /c4n4ry/);
		return out;
	};
	fs.writeFileSync(conf, [...BASE, process.getuid() === 0 ? 'user root' : '', `plugin ${path.join(BUILD, 'skeeter_core.so')}`, `plugin_opt_secrets ${file}`].join('\n'));
	assert.match(check(conf).out, new RegExp(`^error +${conf}:6: plugin_opt_secrets ${file}: No such file`, 'm'));
	assert.match(judge('{"a":"c4n4ry"}', 0o640), new RegExp(`^error .*others than its owner may use ${file}: chmod 600; write: chmod 600`, 'm'));
	assert.match(judge('{"a":"c4n4ry"}', 0o644), /^warning .*every user of this machine may read this secret/m);
	assert.match(judge('{"a":c4n4ry}', 0o600), /^error .*is not JSON at byte 5/m);
	assert.match(judge('{"a":5}', 0o600), /^error .*a is neither a text nor an object/m);
	assert.doesNotMatch(judge('{"a":"c4n4ry"}', 0o600), /secrets/);
});

test('include_dir is followed in order, and severity is the exit code', async (t) => {
	const dir = folder(t), conf = path.join(dir, 'mosquitto.conf'), sub = path.join(dir, 'conf.d');
	fs.mkdirSync(sub);
	const write = (name, ...lines) => fs.writeFileSync(path.join(sub, name), lines.join('\n'));
	fs.writeFileSync(conf, [...BASE, `include_dir ${sub}`].join('\n'));
	assert.deepEqual([check(conf).code, check(conf).out.split('\n').at(-2)], [0, `${conf}: 0 errors, 0 warnings, 2 notes in 4 lines`]);
	write('20.conf', 'autosave_interval 900');
	write('README', 'per_listener_settings true');
	assert.equal(check(conf).code, 1);
	write('30.conf', 'autosave_interval 30', 'per_listener_settings true');
	const { code, out } = check(conf);
	assert.equal(code, 2);
	assert.match(out, new RegExp(`^error +${sub}/30\\.conf:2: per_listener_settings true: `));
	assert.doesNotMatch(out, /autosave/);
	fs.writeFileSync(conf, `include_dir ${dir}/nowhere`);
	assert.deepEqual([check(conf).code, check(conf).err], [255, `skeeter: ${conf}:1: include_dir ${dir}/nowhere: No such file or directory\n`]);
	fs.writeFileSync(conf, `include_dir ${dir}`);
	assert.equal(check(conf).err, 'skeeter: include_dir includes itself\n');
	assert.equal(check(path.join(dir, 'none')).code, 255);
});

test('the harness\'s own configuration, which brokers run with, has no error', async (t) => {
	const b = create(t, {});
	b.port = 18883;
	const conf = path.join(b.dir, 'mosquitto.conf');
	fs.writeFileSync(conf, b.configuration());
	const { code, out } = check(conf);
	assert.ok(code <= 1, out);
});
