/* destination_url.c -- URLs of destinations, as they are compared: text by text, as AWS does it. */
#include "plugins/rules/destinations.h"

#include <string.h>
#include <strings.h>

static const char *behind_scheme(const char *url)
{
	return !strncasecmp(url, "https://", 8) ? url + 8 : !strncasecmp(url, "http://", 7) ? url + 7 : NULL;
}

const char *destination_url_fault(const char *url)
{
	const char *host = behind_scheme(url);
	size_t n = host ? strcspn(host, "/?") : 0;

	for (const unsigned char *s = (const unsigned char *)url; *s; s++)
		if (*s <= ' ' || *s >= 0x7f || strchr("\"<>\\^`{|}", *s))
			return "it holds a character that a URL cannot hold";
	if (!host)
		return "it begins with neither https:// nor http://";
	if (!n || *host == ':')
		return "it names no host";
	if (memchr(host, '@', n))
		return "it holds a user, who would be told to whoever lists destinations";
	return strchr(url, '#') ? "it has a fragment" : NULL;
}

/* One or two dots, each a dot or its code, up to the segment's end. */
static bool is_dots(const char *s)
{
	int dots = 0;

	for (; dots < 3; dots++) {
		if (*s == '.')
			s++;
		else if (!strncasecmp(s, "%2e", 3))
			s += 3;
		else
			break;
	}
	return dots > 0 && dots < 3 && strchr("/?#", *s);
}

static bool climbs(const char *path)
{
	for (; *path && *path != '?' && *path != '#'; path++)
		if (*path == '\\' || (*path == '/' && is_dots(path + 1)))
			return true;
	return false;
}

bool destination_is_below(const char *url, const char *base)
{
	size_t n = strlen(base);

	if (!n || strncmp(url, base, n))
		return false;
	bool whole = !url[n] || base[n - 1] == '/' || strchr("/?", url[n]) || (strchr(base, '?') && url[n] == '&');
	return whole && !climbs(base[n - 1] == '/' ? url + n - 1 : url + n);
}
