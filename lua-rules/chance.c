/* chance.c -- math.random and uuid(): from the run's seed, so that a run that is repeated repeats them. */
#include <string.h>

#include "lua-rules/internal.h"

void host_seed(struct host_now *now, const uint8_t seed[16])
{
	memcpy(now->random, seed, sizeof now->random);
}

/* SplitMix64 (Steele, Lea and Flood, 2014): a counter that is mixed. */
static uint64_t next(lua_State *L)
{
	struct host_now *now = host_file(L)->now;
	uint64_t z = now->random[0] += 0x9e3779b97f4a7c15u;

	z ^= now->random[1];
	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
	return z ^ (z >> 31);
}

/* A number from 0 to `most`, each as likely. */
static uint64_t up_to(lua_State *L, uint64_t most)
{
	uint64_t mask = most ? UINT64_MAX >> __builtin_clzll(most) : 0, n;

	do
		n = next(L) & mask;
	while (n > most);
	return n;
}

/* random(): from 0 to 1; random(n): 1 to n; random(m, n) */
int host_random(lua_State *L)
{
	lua_Integer low = 1, high;

	if (lua_gettop(L) == 0) {
		lua_pushnumber(L, (lua_Number)(next(L) >> 11) * 0x1p-53);
		return 1;
	}
	high = luaL_checkinteger(L, 1);
	if (lua_gettop(L) > 1) {
		low = high;
		high = luaL_checkinteger(L, 2);
	}
	luaL_argcheck(L, low <= high, lua_gettop(L), "interval is empty");
	lua_pushinteger(L, (lua_Integer)((uint64_t)low + up_to(L, (uint64_t)high - (uint64_t)low)));
	return 1;
}

int host_uuid(lua_State *L)
{
	uint64_t x = (next(L) & ~0xf000ull) | 0x4000, y = (next(L) & (UINT64_MAX >> 2)) | 1ull << 63;
	char text[37];

	snprintf(text, sizeof text, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(x >> 32), (unsigned)(x >> 16 & 0xffff), (unsigned)(x & 0xffff),
	         (unsigned)(y >> 48), (unsigned long long)(y & 0xffffffffffffull));
	lua_pushstring(L, text);
	return 1;
}
