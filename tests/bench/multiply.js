// multiply.js -- a store of COUNT things made of a store that has the thing `fleet-0`: what belongs to it is written again under other names and
// certificate ids, as a dump that skeeter-store loads. Registering a million takes half an hour; what a start and a call cost then depends on
// what is stored, not on how it came in.
'use strict';
const { execFileSync, spawn } = require('node:child_process');
const crypto = require('node:crypto');
const fs = require('node:fs');
const path = require('node:path');
const readline = require('node:readline');

const FIRST = 'fleet-0';

async function written(stream, text) {
	if (!stream.write(text))
		await new Promise((done) => stream.once('drain', done));
}

// The lines of a dump: those of the first thing, all others, and the header.
async function split(file) {
	const lines = readline.createInterface({ input: fs.createReadStream(file) });
	const all = [];
	for await (const line of lines)
		all.push(line);
	const header = all.shift();
	all.pop();
	const id = new RegExp(`"registry/thing-principal/${FIRST}/([0-9a-f]{64})"`).exec(all.find((l) => l.includes(`"registry/thing-principal/${FIRST}/`)))[1];
	const mine = (line) => line.includes(id) || line.includes(`/${FIRST}"`);
	return { header, id, first: all.filter(mine), others: all.filter((line) => !mine(line)) };
}

async function multiply(store, folder, count) {
	const few = path.join(folder, 'few'), many = path.join(folder, 'many'), sorted = path.join(folder, 'sorted');
	fs.writeFileSync(few, execFileSync(store, ['dump', path.join(folder, 'data')], { maxBuffer: 1 << 28 }));
	const { header, id, first, others } = await split(few);
	const known = new Set(others.map((l) => /"registry\/thing\/([^"]*)"/.exec(l)?.[1]).filter(Boolean));
	const out = fs.createWriteStream(many);
	await written(out, `${others.concat(first).join('\n')}\n`);
	for (let i = 1; i < count; i++) {
		const name = `fleet-${i}`;
		if (known.has(name))
			continue;
		const own = crypto.createHash('sha256').update(name).digest('hex');
		await written(out, first.map((l) => `${l.replaceAll(id, own).replaceAll(`${FIRST}"`, `${name}"`).replaceAll(`/${FIRST}/`, `/${name}/`)}\n`).join(''));
	}
	await new Promise((done) => out.end(done));
	execFileSync('sort', ['-o', sorted, many], { env: { ...process.env, LC_ALL: 'C' }, cwd: folder });
	for (const f of ['skeeter.db', 'skeeter.db-wal', 'skeeter.db-shm'])
		fs.rmSync(path.join(folder, 'data', f), { force: true });
	await load(store, path.join(folder, 'data'), header, sorted);
	for (const f of [few, many, sorted])
		fs.rmSync(f);
}

// Feeds `skeeter-store load` with the header, the sorted lines and the footer that they need.
async function load(store, data, header, file) {
	const child = spawn(store, ['load', '--quiet', data], { stdio: ['pipe', 'ignore', 'inherit'] });
	const ended = new Promise((done) => child.on('close', done)), digest = crypto.createHash('sha256');
	let records = -1;
	const put = async (line) => {
		digest.update(line);
		records++;
		await written(child.stdin, line);
	};
	await put(`${header}\n`);
	for await (const line of readline.createInterface({ input: fs.createReadStream(file) }))
		await put(`${line}\n`);
	child.stdin.end(`${JSON.stringify({ records, sha256: digest.digest('hex') })}\n`);
	if (await ended)
		throw new Error('skeeter-store did not load what was multiplied');
}

module.exports = { multiply };
