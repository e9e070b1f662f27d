/* json_keys.c -- a crit-bit tree over the keys of an object.
 *
 * A reference is a member (lowest bit 0) or a fork (lowest bit 1). A fork says at which byte and bit its two sides
 * differ first; forks go downwards in the order of byte and bit. A key ends with its NUL, which takes part. */
#include "core/json_keys.h"

#include <string.h>

struct fork {
	uintptr_t side[2];
	uint32_t byte;
	uint8_t mask; /* the bit that differs */
};

static struct fork *as_fork(uintptr_t ref)
{
	return ref & 1 ? (struct fork *)(ref - 1) : NULL;
}

static const char *key_of(const cJSON *member)
{
	return member->string ? member->string : "";
}

static int side_of(const struct fork *f, const char *key, size_t length)
{
	return f->byte < length && ((unsigned char)key[f->byte] & f->mask);
}

/* The member that is left when every fork on the way is believed. */
static cJSON *nearest(uintptr_t ref, const char *key, size_t length)
{
	for (struct fork *f = as_fork(ref); f; f = as_fork(ref))
		ref = f->side[side_of(f, key, length)];
	return (cJSON *)ref;
}

cJSON *sk_json_keys_find(const struct sk_json_keys *keys, const char *key)
{
	cJSON *member = keys->root ? nearest(keys->root, key, strlen(key)) : NULL;

	return member && strcmp(key_of(member), key) == 0 ? member : NULL;
}

static uint8_t highest_bit(unsigned char c)
{
	return (uint8_t)(1u << (31 - __builtin_clz(c)));
}

/* Puts a new fork at (byte, bit) on the way of `key`, where the order of forks wants it. */
static bool split(struct sk_arena *a, struct sk_json_keys *keys, cJSON *member, size_t byte, uint8_t mask)
{
	const char *key = key_of(member);
	size_t length = strlen(key);
	uintptr_t *at = &keys->root;
	struct fork *made = sk_alloc(a, sizeof *made), *f;

	if (!made)
		return false;
	while ((f = as_fork(*at)) && (f->byte < byte || (f->byte == byte && f->mask > mask)))
		at = &f->side[side_of(f, key, length)];
	made->byte = (uint32_t)byte;
	made->mask = mask;
	made->side[side_of(made, key, length)] = (uintptr_t)member;
	made->side[!side_of(made, key, length)] = *at;
	*at = (uintptr_t)made | 1;
	return true;
}

bool sk_json_keys_add(struct sk_arena *a, struct sk_json_keys *keys, cJSON *member)
{
	const char *key = key_of(member), *other;
	size_t i = 0;

	if (!keys->root) {
		keys->root = (uintptr_t)member;
		return true;
	}
	other = key_of(nearest(keys->root, key, strlen(key)));
	while (key[i] && key[i] == other[i])
		i++;
	if (key[i] == other[i])
		return true;
	return split(a, keys, member, i, highest_bit((unsigned char)(key[i] ^ other[i])));
}

struct sk_json_keys *sk_json_keys_of(struct sk_arena *a, const cJSON *object)
{
	struct sk_json_keys *keys = sk_alloc(a, sizeof *keys);

	for (cJSON *member = object->child; keys && member; member = member->next)
		if (!sk_json_keys_add(a, keys, member))
			return NULL;
	return keys;
}
