// make install and make uninstall: what is put where, that it runs from there, and that what an operator has changed stays.
'use strict';
const assert = require('node:assert/strict');
const { execFileSync } = require('node:child_process');
const fs = require('node:fs');
const os = require('node:os');
const path = require('node:path');
const { test } = require('../../harness/test');
const { create, BUILD } = require('../../harness/broker');

const SCRIPT = path.resolve(__dirname, '../../../cli/install.sh');

function place(t) {
	const root = fs.mkdtempSync(path.join(os.tmpdir(), 'skeeter-install-'));
	fs.chmodSync(root, 0o755);
	t.after(() => fs.rmSync(root, { recursive: true, force: true }));
	const env = { ...process.env, DESTDIR: root, PREFIX: '/opt/it', CONFDIR: '/etc/mosquitto/conf.d', B: BUILD };
	return { root, lib: path.join(root, 'opt/it/lib/skeeter'), conf: path.join(root, 'etc/mosquitto/conf.d/skeeter.conf'),
		run: (verb) => execFileSync('sh', [SCRIPT, verb], { env, encoding: 'utf8' }) };
}
const files = (dir) => fs.readdirSync(dir, { withFileTypes: true }).flatMap((e) => e.isDirectory() ? files(path.join(dir, e.name)) : [path.join(dir, e.name)]);

test('what is installed runs from where it is, and goes again', async (t) => {
	const p = place(t);
	assert.equal(p.run('install'), '');
	const plugins = ['core', 'registry', 'auth', 'shadow'].map((n) => path.join(p.lib, `skeeter_${n}.so`));
	const b = create(t, { plugins, options: {} });
	b.spec.options[plugins[0]] = { data: b.data, operators: b.socket };
	await b.start();
	const skeeter = path.join(p.root, 'opt/it/bin/skeeter');
	assert.match(execFileSync(skeeter, ['--socket', b.socket, 'create-thing', '--thing-name', 'x'], { encoding: 'utf8' }), /"thingName": "x"/);
	await b.stop();
	assert.equal(p.run('uninstall'), '');
	assert.deepEqual(files(p.root), []);
});

test('the sample does nothing until it is enabled, and then names what is installed', async (t) => {
	const p = place(t);
	p.run('install');
	const sample = fs.readFileSync(p.conf, 'utf8');
	assert.deepEqual(sample.split('\n').filter((l) => l && !l.startsWith('#')), []);
	const enabled = sample.split('\n').map((l) => l.replace(/^#([a-z])/, '$1')).filter((l) => l && !l.startsWith('#'));
	assert.deepEqual(enabled.filter((l) => l.startsWith('plugin ')), ['core', 'auth', 'registry', 'shadow'].map((n) => `plugin /opt/it/lib/skeeter/skeeter_${n}.so`));
	for (const line of enabled.filter((l) => l.startsWith('plugin ')))
		assert.ok(fs.existsSync(path.join(p.root, line.slice(7))), line);
	fs.writeFileSync(path.join(p.root, 'all.conf'), enabled.join('\n'));
	const out = (() => { try { return execFileSync(path.join(BUILD, 'skeeter'), ['check-config', path.join(p.root, 'all.conf')], { encoding: 'utf8' }); } catch (e) { return e.stdout; } })();
	assert.deepEqual(out.split('\n').filter((l) => /^(error|warning)/.test(l) && !/No such file|is no folder|persistence/.test(l)), []);
});

test('what an operator has changed is neither written over nor removed', async (t) => {
	const p = place(t);
	p.run('install');
	fs.appendFileSync(p.conf, 'mine\n');
	const changed = fs.readFileSync(p.conf, 'utf8');
	assert.match(p.run('install'), /skeeter\.conf stays as it is/);
	assert.match(p.run('uninstall'), /skeeter\.conf was changed and stays/);
	assert.equal(fs.readFileSync(p.conf, 'utf8'), changed);
	assert.deepEqual(files(p.root), [p.conf]);
});
