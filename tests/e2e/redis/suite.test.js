// The suite of all stores (tests/unit/store_suite.h) on each kind of Redis, and what two stores on one Redis see of each other: tests/store/redis_suite.c run against real servers.
'use strict';
const assert = require('node:assert/strict');
const { execFile } = require('node:child_process');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const pki = require('../../harness/pki');
const { proxy } = require('../../harness/proxy');
const { redis } = require('../../harness/service_redis');
const { cluster } = require('../../harness/service_redis_cluster');
const { sentinels } = require('../../harness/service_redis_sentinel');
const watcher = require('../../harness/watcher');

const BUILD = process.env.SKEETER_BUILD || path.resolve(__dirname, '../../../build');
const COMMIT = fs.readFileSync(path.join(__dirname, '../../../core/redis/commit.lua'), 'utf8');
// What docs/REDIS.md says that a user needs.
const [RIGHTS] = /^ACL SETUSER .*$/m.exec(fs.readFileSync(path.join(__dirname, '../../../docs/REDIS.md'), 'utf8'));

// { code, out }; nothing failed unless it is said to.
function suite(url, parts, { prefix = 'suite', wait, admin } = {}) {
	const [command, ...args] = [...watcher.around(1), path.join(BUILD, 'tests/redis_suite'), ...parts];
	const env = { ...process.env, STORE_URL: url, STORE_PREFIX: prefix, ...wait === undefined ? {} : { STORE_WAIT: String(wait) }, ...admin && { STORE_ADMIN: admin } };
	return new Promise((done) => execFile(command, args, { env, maxBuffer: 1 << 26 }, (e, out, err) => done({ code: e ? e.code : 0, out: out + err })));
}
async function passes(url, parts, more) {
	const { code, out } = await suite(url, parts, more);
	assert.equal(code, 0, out.split('\n').filter((l) => !/^\[ {7}OK|^\[ RUN/.test(l)).join('\n'));
	const run = [...out.matchAll(/^\[==========\] (\d+) test\(s\) run/gm)].map((m) => Number(m[1]));
	assert.ok(run.length >= parts.length && run.every((n) => n > 0), out);
	return out;
}
const opens = (url, more) => suite(url, ['open'], more);

test('one Redis', async (t) => {
	const r = await redis(t);
	await passes(r.url, ['suite', 'shared']);
});

test('a user with the rights that the docs say, in another database, over TLS', async (t) => {
	const user = RIGHTS.replace(/^ACL SETUSER (\S+) (.*)$/, 'user $1 $2').replace('>PASSWORD', '>p:w').replaceAll('skeeter:*', 'mine*');
	const r = await redis(t, { users: [user], password: 'other' });
	const url = r.at({ user: 'skeeter', password: 'p:w', path: '/3', tls: true, query: `ca=${pki.authority().crt}` });
	await passes(url, ['suite', 'shared'], { prefix: 'mine', admin: r.at({ password: 'other', path: '/3' }) });
	assert.equal(await r.cli('DBSIZE'), '0');
	assert.match(await r.cli('-n', '3', 'KEYS', '*'), /^mine\d+\.0:\{skeeter\}meta$/m);
	assert.match((await opens(url, { prefix: 'mine' })).out, /NOPERM/);
	const wrong = await opens(url.replace('p%3Aw', 'secret'));
	assert.equal(wrong.code, 1);
	assert.match(wrong.out, /WRONGPASS/);
	assert.doesNotMatch(wrong.out, /secret/);
});

test('a socket of its own machine', async (t) => {
	const r = await redis(t);
	await passes(`redis+unix://${r.socket}?buckets=3`, ['suite', 'shared']);
});

test('a Cluster of three masters, each with a replica', async (t) => {
	const c = await cluster(t);
	await passes(c.url, ['suite', 'shared']);
	await passes(c.at({ query: 'replicas=1' }), ['shared']);
});

test('the master that Sentinels name', async (t) => {
	const s = await sentinels(t);
	await passes(s.url, ['suite', 'shared']);
});

test('an answer that is lost after a commit: the same is answered again, and nothing is done twice', async (t) => {
	const r = await redis(t), p = await proxy(t, () => r.port);
	const met = p.meet(/thing\/lost\//, 'lose');
	await passes(`redis://127.0.0.1:${p.port}?timeout=20000`, ['lost']);
	assert.match(await met, /^\$\d+\r\n\d{16}\r\n$/);
});

test('an answer that never comes: the commit is refused and counted as unknown, and all goes on', async (t) => {
	const r = await redis(t), p = await proxy(t, () => r.port);
	const met = p.meet(/thing\/held\//, 'hold');
	await passes(`redis://127.0.0.1:${p.port}?timeout=3000`, ['held']);
	assert.match(await met, /^\$\d+\r\n\d{16}\r\n$/);
});

test('a batch that comes late, behind a newer one, is refused', async (t) => {
	const r = await redis(t);
	const keys = ['h0', 'h1', 'h2', 'z0', 'z1', 'z2', 'm', 'o', 'c'].map((k) => `{0}${k}`);
	const batch = (number, text) => r.cli('EVAL', COMMIT, '9', ...keys, String(number), '0', '0', '0', 'w00', '1', '0', 'thing/a/1', text);
	const first = await batch(7, 'seven');
	assert.match(first, /^\d{16}$/);
	assert.equal(await batch(7, 'seven again'), first);
	assert.ok(Number(await batch(8, 'eight')) > Number(first));
	assert.match(await batch(7, 'seven late'), /STALE/);
	assert.match(await r.cli('HGET', '{0}h0', 'thing/a/1'), /^\d{16} eight$/);
});

test('a store of a newer format, and what is no store, are not touched', async (t) => {
	const r = await redis(t), all = async () => (await r.cli('KEYS', '*')).split('\n').sort().join(' ');
	assert.match((await opens(`${r.url}?buckets=5`)).out, /^open$/m);
	assert.match((await opens(`${r.url}?buckets=7`)).out, /^open$/m);
	assert.equal(await r.cli('HGET', 'skeeter:{skeeter}meta', 'buckets'), '5');
	await r.cli('HSET', 'skeeter:{skeeter}meta', 'format', '2');
	assert.match((await opens(r.url)).out, /has format 2, this build knows 1: nothing was touched/);
	await r.cli('SET', 'other:{skeeter}meta', 'x');
	const before = await all();
	const other = await opens(`${r.url}?prefix=other:`);
	assert.equal(other.code, 1);
	assert.match(other.out, /other:\{skeeter\}meta in redis:\S+ is not a store's record: nothing was touched|WRONGTYPE/);
	assert.equal(await all(), before);
});

test('a server that would forget is named at the start', async (t) => {
	const r = await redis(t, ['--maxmemory-policy', 'allkeys-lru', '--appendonly', 'no']);
	const { code, out } = await opens(r.url);
	assert.equal(code, 0);
	assert.match(out, /^w .*maxmemory-policy allkeys-lru: .*set maxmemory-policy noeviction/m);
	assert.match(out, /^w .*appendonly no: .*set appendonly yes/m);
});

test('who opens waits for a server that is still starting, and says so', async (t) => {
	const r = await redis(t);
	await r.kill();
	const gone = await opens(r.url, { wait: 200 });
	assert.equal(gone.code, 1);
	assert.match(gone.out, /^the store redis:\S+ does not answer: 127\.0\.0\.1:\d+: /m);
	let open = false;
	const waiting = opens(r.url, { wait: 120000 }).then((result) => { open = true; return result; });
	await r.start();
	await until('the store to be open', () => open);
	const { code, out } = await waiting;
	assert.equal(code, 0, out);
});
