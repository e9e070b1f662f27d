// preload.js -- the file through which a test and preload.c inside a broker speak.
//
//   const p = new Preload(folder, data);  b.spec.env = p.env;  p.set('stalled', 1);  p.get('longest_ns');  p.reset();
'use strict';
const fs = require('node:fs');
const path = require('node:path');

const FIELDS = ['clock_offset_us', 'stalled', 'deaf', 'waited', 'waited_main', 'turns', 'longest_ns', 'longest_cpu_ns', 'longest_blocked_ns',
	'over', 'over_cpu', 'over_blocked'];
const BUILD = path.resolve(process.env.SKEETER_BUILD || 'build');
const LIBRARY = path.join(BUILD, 'chaos/preload.so');

class Preload {
	constructor(folder, data = '') {
		this.file = path.join(folder, 'chaos.shared');
		fs.writeFileSync(this.file, Buffer.alloc(8 * FIELDS.length), { mode: 0o666 });
		this.fd = fs.openSync(this.file, 'r+');
		this.env = { LD_PRELOAD: LIBRARY, SKEETER_CHAOS: this.file, SKEETER_CHAOS_DATA: data };
	}

	set(field, value) {
		const b = Buffer.alloc(8);
		b.writeBigInt64LE(BigInt(value));
		fs.writeSync(this.fd, b, 0, 8, 8 * FIELDS.indexOf(field));
	}
	get(field) {
		const b = Buffer.alloc(8);
		fs.readSync(this.fd, b, 0, 8, 8 * FIELDS.indexOf(field));
		return Number(b.readBigInt64LE());
	}
	// Everything that was counted, as milliseconds where it is a time.
	all() {
		return Object.fromEntries(FIELDS.map((f) => (f.endsWith('_ns') ? [f.replace('_ns', '_ms'), this.get(f) / 1e6] : [f, this.get(f)])));
	}
	reset() { FIELDS.slice(3).forEach((f) => this.set(f, 0)); }
	close() { fs.closeSync(this.fd); }
}

module.exports = { Preload, LIBRARY };
