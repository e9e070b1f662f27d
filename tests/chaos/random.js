// random.js -- chance that a seed repeats.
'use strict';

// splitmix32: rng(n) is one of 0 to n - 1.
function random(seed) {
	let a = seed >>> 0;
	return (n) => {
		a = a + 0x9e3779b9 >>> 0;
		let t = Math.imul(a ^ a >>> 16, 0x21f0aaad);
		t = Math.imul(t ^ t >>> 15, 0x735a2d97);
		return ((t ^ t >>> 15) >>> 0) % n;
	};
}

module.exports = { random };
