// A Redis that answers, but with no: it is full, it is read-only, or the password is another one.
'use strict';
const assert = require('node:assert/strict');
const fs = require('node:fs');
const path = require('node:path');
const { test, until } = require('../../harness/test');
const { freePort } = require('../../harness/ports');
const { redis } = require('../../harness/service_redis');
const { world, LINES, TIMEOUT } = require('../../harness/witness');

test('Redis is full: updates are refused, what is stored can be read', async (t) => {
	const r = await redis(t), w = await world(t, { url: `${r.url}?timeout=${TIMEOUT}` });
	await w.through({ name: 'full', begin: () => r.cli('CONFIG', 'SET', 'maxmemory', '1'), end: () => r.cli('CONFIG', 'SET', 'maxmemory', '0'),
		reads: 'served', away: LINES.full, back: LINES.takes });
	await w.holds({ unknown: 0 });
});

test('Redis is read-only: updates are refused, what is stored can be read', async (t) => {
	const r = await redis(t), w = await world(t, { url: `${r.url}?timeout=${TIMEOUT}` }), nobody = await freePort();
	await w.through({ name: 'read-only', begin: () => r.cli('REPLICAOF', '127.0.0.1', String(nobody)), end: () => r.cli('REPLICAOF', 'NO', 'ONE'),
		reads: 'served', away: LINES.readOnly, back: LINES.takes });
	await w.holds({ unknown: 0 });
});

test('Redis cannot write to its disk: updates are refused, what is stored can be read', async (t) => {
	const r = await redis(t), w = await world(t, { url: `${r.url}?timeout=${TIMEOUT}` }), there = path.join(r.dir, 'dump.rdb');
	const saved = async (how) => {
		await r.cli('BGSAVE');
		await until(`a save to be ${how}`, async () => await r.info('rdb_bgsave_in_progress') === '0' && await r.info('rdb_last_bgsave_status') === how);
	};
	await w.through({ name: 'disk', reads: 'served', away: LINES.disk, back: LINES.takes,
		begin: async () => { await r.cli('CONFIG', 'SET', 'save', '3600 1'); fs.mkdirSync(there); await saved('err'); },
		end: async () => { fs.rmdirSync(there); await saved('ok'); } });
	await w.holds({ unknown: 0 });
});

test('Redis has fewer replicas than it wants', async (t) => {
	const r = await redis(t), w = await world(t, { url: `${r.url}?timeout=${TIMEOUT}` });
	await w.through({ name: 'too few replicas', begin: () => r.cli('CONFIG', 'SET', 'min-replicas-to-write', '1'), end: () => r.cli('CONFIG', 'SET', 'min-replicas-to-write', '0'),
		reads: 'served', away: LINES.replicas, back: LINES.takes });
	await w.holds({ unknown: 0 });
});

test('the password is another one: connections that are made anew are refused until it is right', async (t) => {
	const r = await redis(t);
	const user = (...rules) => r.cli('ACL', 'SETUSER', 'skeeter', 'on', '~*', '&*', '+@all', ...rules);
	await user('>first');
	const w = await world(t, { url: `${r.url.replace('//', '//skeeter:first@')}?timeout=${TIMEOUT}` });
	await w.through({ name: 'password', begin: async () => { await user('resetpass', '>second'); await r.cli('CLIENT', 'KILL', 'USER', 'skeeter'); }, end: () => user('>first'),
		away: LINES.password, back: LINES.back });
	assert.ok(!w.brokers.some((b) => /first|second/.test(b.log)), 'no password is in the log');
	await w.holds();
});

test('rights that are taken away', async (t) => {
	const r = await redis(t);
	const user = (...rules) => r.cli('ACL', 'SETUSER', 'skeeter', 'on', '~*', '&*', '+@all', ...rules);
	await user('>first');
	const w = await world(t, { url: `${r.url.replace('//', '//skeeter:first@')}?timeout=${TIMEOUT}` });
	await w.through({ name: 'rights', begin: () => user('-evalsha'), end: () => user('+evalsha'), reads: 'served', away: LINES.rights, back: LINES.takes });
	await w.holds({ unknown: 0 });
});
