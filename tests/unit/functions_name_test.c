/* functions_name_test.c -- what names a function, and what is in a zip. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <string.h>

#include "plugins/functions/functions.h"
#include "plugins/functions/zip.h"

static struct sk_arena a;

static const char *read(const char *text)
{
	struct functions_name n;

	if (functions_name_parse(&a, text, &n))
		return "-";
	return sk_printf(&a, "%s %s %s", n.account ? n.account : ".", n.name, n.qualifier ? n.qualifier : ".");
}

static void a_name_is_a_name_or_an_arn(void **state)
{
	static const struct { const char *text, *is; } cases[] = {
		{ "f", ". f ." }, { "f:1", ". f 1" }, { "f:$LATEST", ". f $LATEST" }, { "f:prod", ". f prod" }, { "function:f", ". f ." }, { "function:f:1", ". f 1" },
		{ "123456789012:function:f", "123456789012 f ." }, { "123456789012:function:f:prod", "123456789012 f prod" },
		{ "arn:aws:lambda:eu-west-1:123456789012:function:f", "123456789012 f ." },
		{ "arn:aws-cn:lambda:eu-west-1:123456789012:function:f:7", "123456789012 f 7" },
		{ "", "-" }, { ":", "-" }, { "f:", "-" }, { "a b", "-" }, { "a/b", "-" }, { "f:1:2", "-" }, { "f:$latest", "-" }, { "f:$LATEST:1", "-" },
		{ "arn:aws:iot:eu-west-1:123456789012:function:f", "-" }, { "arn:aws:lambda:eu-west-1:1:function:f", "-" }, { "arn:aws:lambda:x:123456789012:layer:f", "-" },
		{ "arn:aws:lambda:x:123456789012:function:f:1:2", "-" }, { "a:b:c:d:e:f:g:h:i:j", "-" }, { "\xc3\xa4", "-" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
		assert_string_equal(read(cases[i].text), cases[i].is);
	char longest[66] = { 0 };
	memset(longest, 'x', 64);
	assert_string_not_equal(read(longest), "-");
	longest[64] = 'x';
	assert_string_equal(read(longest), "-");
	sk_arena_free(&a);
}

/* "index.lua" with "return 1\n", stored. */
static const unsigned char stored[] = {
	'P', 'K', 3, 4, 10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0, 0xbb, 0xa2, 0xb1, 0xa5, 9, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 'i', 'n', 'd', 'e', 'x', '.', 'l', 'u', 'a', 'r', 'e', 't', 'u',
	'r', 'n', ' ', '1', '\n', 'P', 'K', 1, 2, 30, 3, 10, 0, 0, 0, 0, 0, 0, 0, 0x21, 0, 0xbb, 0xa2, 0xb1, 0xa5, 9, 0, 0, 0, 9, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0xa4, 0x81,
	0, 0, 0, 0, 'i', 'n', 'd', 'e', 'x', '.', 'l', 'u', 'a', 'P', 'K', 5, 6, 0, 0, 0, 0, 1, 0, 1, 0, 55, 0, 0, 0, 48, 0, 0, 0, 0, 0
};

static const char *look(const unsigned char *zip, size_t n)
{
	struct zip_contents c;
	const char *why = "";

	return zip_look(zip, n, &c, &why) ? why : sk_printf(&a, "%zu %llu", c.files, (unsigned long long)c.size);
}

static const char *unpacked(const unsigned char *zip, size_t n, const char *name, size_t most)
{
	const char *why;
	size_t size;
	const char *text = zip_read(&a, zip, n, name, most, &size, &why);

	return text ? text : why ? why : "not there";
}

static void a_zip_is_looked_through(void **state)
{
	unsigned char z[sizeof stored];

	(void)state;
	assert_string_equal(look(stored, sizeof stored), "1 9");
	assert_string_equal(unpacked(stored, sizeof stored, "index.lua", 9), "return 1\n");
	assert_string_equal(unpacked(stored, sizeof stored, "index.lu", 9), "not there");
	assert_string_equal(unpacked(stored, sizeof stored, "index.lua", 8), "the file is too large");
	for (size_t n = 0; n < sizeof stored; n++)
		assert_string_equal(look(stored, n), "it is no zip file");
	assert_string_equal(look((const unsigned char *)"", 0), "it is no zip file");
	memcpy(z, stored, sizeof z);
	z[40] ^= 1; /* its text */
	assert_string_equal(unpacked(z, sizeof z, "index.lua", 9), "the zip is damaged");
	sk_arena_free(&a);
}

/* Whatever byte is another one: an answer, and no byte outside is looked at (make asan). */
static void every_damaged_byte_is_survived(void **state)
{
	unsigned char z[sizeof stored];

	(void)state;
	for (size_t i = 0; i < sizeof z; i++)
		for (int bit = 0; bit < 8; bit++) {
			memcpy(z, stored, sizeof z);
			z[i] ^= (unsigned char)(1 << bit);
			assert_non_null(look(z, sizeof z));
			assert_non_null(unpacked(z, sizeof z, "index.lua", 1000));
		}
	sk_arena_free(&a);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_name_is_a_name_or_an_arn),
		cmocka_unit_test(a_zip_is_looked_through),
		cmocka_unit_test(every_damaged_byte_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
