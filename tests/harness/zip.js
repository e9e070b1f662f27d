// zip.js -- a zip file of some texts: zip({ 'index.lua': '...' }, { store: true }).
'use strict';
const zlib = require('node:zlib');

function crc32(bytes) {
	let crc = ~0;
	for (const byte of bytes) {
		crc ^= byte;
		for (let i = 0; i < 8; i++)
			crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
	}
	return ~crc >>> 0;
}

function zip(files, { store = false, flags = 0 } = {}) {
	const parts = [], directory = [];
	let at = 0;
	for (const [name, text] of Object.entries(files)) {
		const data = Buffer.from(text), packed = store ? data : zlib.deflateRawSync(data), label = Buffer.from(name);
		const fields = Buffer.alloc(26);
		fields.writeUInt16LE(20, 0);
		fields.writeUInt16LE(flags, 2);
		fields.writeUInt16LE(store ? 0 : 8, 4);
		fields.writeUInt32LE(crc32(data), 10);
		fields.writeUInt32LE(packed.length, 14);
		fields.writeUInt32LE(data.length, 18);
		fields.writeUInt16LE(label.length, 22);
		const local = Buffer.concat([Buffer.from('PK\x03\x04'), fields, label, packed]);
		const tail = Buffer.alloc(14);
		tail.writeUInt32LE(0o100644 << 16 >>> 0, 6);
		tail.writeUInt32LE(at, 10);
		directory.push(Buffer.from('PK\x01\x02'), Buffer.from([20, 3]), fields, tail, label);
		parts.push(local);
		at += local.length;
	}
	const central = Buffer.concat(directory), end = Buffer.alloc(18);
	end.writeUInt16LE(parts.length, 4);
	end.writeUInt16LE(parts.length, 6);
	end.writeUInt32LE(central.length, 8);
	end.writeUInt32LE(at, 12);
	return Buffer.concat([...parts, central, Buffer.from('PK\x05\x06'), end]);
}

module.exports = { zip, crc32 };
