/*
 * Writes phone_table.inc: what libphonenumber does with a number, as far as its
 * first three digits tell. The build runs it against the library that it links.
 *
 * The library's rules are regular expressions over digits. Applied to three
 * digits, ICU (which Debian's libphonenumber uses for them too) tells beside
 * match or no match whether more digits could have changed the answer (hitEnd):
 * only answers that are certain become classes; everything else is handed over.
 */
#include <phonenumbers/phonemetadata.pb.h>
#include <phonenumbers/phonenumberutil.h>
#include <unicode/regex.h>

#include <cstdio>
#include <cstdlib>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <vector>

extern "C" {
#include "lead/phone_format.h"
#include "lead/phone_library.h"
}

/* The compiled-in metadata; exported, in a header that is not installed. */
namespace i18n
{
namespace phonenumbers
{
int metadata_size();
const void *metadata_get();
} // namespace phonenumbers
} // namespace i18n

using i18n::phonenumbers::PhoneMetadata;
using i18n::phonenumbers::PhoneMetadataCollection;
using i18n::phonenumbers::PhoneNumberUtil;

namespace
{

[[noreturn]] void fail(const std::string &what)
{
	std::fprintf(stderr, "phone_table_gen: %s\n", what.c_str());
	std::exit(1);
}

class Pattern
{
      public:
	explicit Pattern(const std::string &text)
	{
		UErrorCode code = U_ZERO_ERROR;

		matcher_ = std::make_unique<icu::RegexMatcher>(icu::UnicodeString::fromUTF8(text),
							       0, code);
		if (U_FAILURE(code))
			fail("cannot read the pattern " + text);
	}

	/* What the beginning of a number is to a pattern. */
	struct Answer {
		bool certain; /* no further digit can change it */
		bool matched;
		bool captured; /* a group holds digits */
		int length;
	};

	Answer at_beginning(const std::string &digits)
	{
		UErrorCode code = U_ZERO_ERROR;
		icu::UnicodeString input = icu::UnicodeString::fromUTF8(digits);
		Answer answer = {};

		matcher_->reset(input);
		answer.matched = matcher_->lookingAt(code);
		answer.certain = !matcher_->hitEnd();
		if (answer.matched) {
			answer.length = matcher_->end(code);
			for (int group = 1; group <= matcher_->groupCount(); group++)
				answer.captured |= matcher_->end(group, code) >
						   matcher_->start(group, code);
		}
		if (U_FAILURE(code))
			fail("cannot match " + digits);
		return answer;
	}

	/* Whether some number that begins so is matched as a whole. */
	bool may_match(const std::string &digits)
	{
		UErrorCode code = U_ZERO_ERROR;
		icu::UnicodeString input = icu::UnicodeString::fromUTF8(digits);

		matcher_->reset(input);
		return matcher_->matches(code) || matcher_->hitEnd();
	}

      private:
	std::unique_ptr<icu::RegexMatcher> matcher_;
};

using Classes = std::vector<int>;

std::string prefix_text(int prefix)
{
	char text[PHONE_PREFIX_DIGITS + 1];

	std::snprintf(text, sizeof(text), "%03d", prefix);
	return text;
}

/* What becomes of a national number's beginning. An empty pattern strips nothing. */
Classes national_classes(const PhoneMetadata &region)
{
	Classes classes(PHONE_PREFIXES, PHONE_PLAIN);
	Pattern general(region.general_desc().national_number_pattern());

	if (region.national_prefix_for_parsing().empty())
		return classes;
	Pattern prefix(region.national_prefix_for_parsing());
	for (int i = 0; i < PHONE_PREFIXES; i++) {
		std::string digits = prefix_text(i);
		Pattern::Answer answer = prefix.at_beginning(digits);

		if (!answer.certain || answer.captured)
			classes[i] = PHONE_HAND_OVER;
		else if (!answer.matched || answer.length == 0)
			classes[i] = PHONE_PLAIN;
		else if (general.may_match(digits))
			classes[i] = PHONE_HAND_OVER; /* the prefix may be part of it */
		else
			classes[i] = PHONE_TRUNK_1 + answer.length - 1;
	}
	return classes;
}

/* What becomes of a number as it is dialled in a region. */
Classes dialled_classes(const PhoneMetadata &region, const Classes &national)
{
	Classes classes = national;
	std::string code = std::to_string(region.country_code());
	Pattern abroad(region.international_prefix());

	for (int i = 0; i < PHONE_PREFIXES; i++) {
		std::string digits = prefix_text(i);
		Pattern::Answer answer = abroad.at_beginning(digits);

		if (!answer.certain)
			classes[i] = PHONE_HAND_OVER;
		else if (answer.matched && answer.length == 2 && digits[2] != '0')
			classes[i] = PHONE_ABROAD_2;
		else if (answer.matched && answer.length == 3)
			classes[i] = PHONE_ABROAD_3;
		else if (answer.matched)
			classes[i] = PHONE_HAND_OVER;
		else if (digits.compare(0, code.size(), code) == 0)
			classes[i] = PHONE_OWN_CODE;
	}
	return classes;
}

/* Plain where both are: nothing is taken away behind the region's own code. */
Classes both_plain(const Classes &a, const Classes &b)
{
	Classes classes(PHONE_PREFIXES, PHONE_HAND_OVER);

	for (int i = 0; i < PHONE_PREFIXES; i++)
		if (a[i] == PHONE_PLAIN && b[i] == PHONE_PLAIN)
			classes[i] = PHONE_PLAIN;
	return classes;
}

uint32_t possible_lengths(const PhoneMetadata &region)
{
	uint32_t lengths = 0;

	for (int length : region.general_desc().possible_length())
		lengths |= UINT32_C(1) << length;
	for (int length : region.general_desc().possible_length_local_only())
		lengths &= ~(UINT32_C(1) << length);
	return lengths;
}

int longest_length(const PhoneMetadata &region)
{
	int longest = 0;

	for (int length : region.general_desc().possible_length())
		longest = std::max(longest, length);
	for (int length : region.general_desc().possible_length_local_only())
		longest = std::max(longest, length);
	return longest;
}

/* Rows that are equal are written once. */
class Rows
{
      public:
	int add(const Classes &classes)
	{
		auto found = rows_.find(classes);

		if (found != rows_.end())
			return found->second;
		int row = static_cast<int>(rows_.size());
		rows_[classes] = row;
		order_.push_back(classes);
		return row;
	}

	void print() const
	{
		std::printf("static const uint8_t phone_classes[][PHONE_PREFIXES] = {\n");
		for (const Classes &classes : order_)
			print_row(classes);
		std::printf("};\n");
	}

      private:
	static void print_row(const Classes &classes)
	{
		std::printf("\t{");
		for (int start = 0, end; start < PHONE_PREFIXES; start = end) {
			end = start;
			while (end < PHONE_PREFIXES && classes[end] == classes[start])
				end++;
			if (classes[start] != PHONE_HAND_OVER)
				std::printf(" [%d ... %d] = %d,", start, end - 1, classes[start]);
		}
		std::printf(" },\n");
	}

	std::map<Classes, int> rows_;
	std::vector<Classes> order_;
};

struct Countries {
	std::map<int, const PhoneMetadata *> main; /* by calling code */
	std::map<int, int> row;
};

/* The metadata by which the library judges a calling code. */
Countries find_countries(const PhoneMetadataCollection &all, const PhoneNumberUtil &util)
{
	Countries countries;

	for (const PhoneMetadata &region : all.metadata()) {
		std::string main;

		util.GetRegionCodeForCountryCode(region.country_code(), &main);
		if (region.id() == main)
			countries.main[region.country_code()] = &region;
	}
	return countries;
}

void print_countries(Countries &countries, Rows &rows)
{
	int row = 0;

	std::printf("static const struct phone_country phone_countries[] = {\n");
	for (const auto &[code, main] : countries.main) {
		std::printf("\t{ %d, %d, %u },\n", code, rows.add(national_classes(*main)),
			    possible_lengths(*main));
		countries.row[code] = ++row;
	}
	std::printf("};\nstatic const uint16_t phone_country_rows[1000] = {\n");
	for (const auto &[code, number] : countries.row)
		std::printf("\t[%d] = %d,\n", code, number);
	std::printf("};\n");
}

void print_regions(const PhoneMetadataCollection &all, const Countries &countries, Rows &rows)
{
	std::printf("static const struct phone_region phone_regions[26 * 26] = {\n");
	for (const PhoneMetadata &region : all.metadata()) {
		const std::string &id = region.id();
		auto main = countries.main.find(region.country_code());

		if (id.size() != 2 || main == countries.main.end() ||
		    region.international_prefix().empty())
			continue;
		Classes national = national_classes(region);
		int dialled = rows.add(dialled_classes(region, national));
		int own = rows.add(both_plain(national, national_classes(*main->second)));

		std::printf("\t[%d] = { %d, %d, %d, %d, %u }, /* %s */\n",
			    (id[0] - 'A') * 26 + (id[1] - 'A'),
			    countries.row.at(region.country_code()), dialled, own,
			    longest_length(region), possible_lengths(region), id.c_str());
	}
	std::printf("};\n");
}

} // namespace

int main()
{
	PhoneMetadataCollection all;
	Rows rows;
	char fingerprint[PHONE_FINGERPRINT_BYTES];

	if (!all.ParseFromArray(i18n::phonenumbers::metadata_get(),
				i18n::phonenumbers::metadata_size()))
		fail("cannot read the library's metadata");
	if (!phone_library_fingerprint(fingerprint))
		fail("libphonenumber has no build id: the table could not be told from another's");
	const PhoneNumberUtil &util = *PhoneNumberUtil::GetInstance();
	Countries countries = find_countries(all, util);

	std::printf("/* Generated by phone_table_gen. */\n");
	std::printf("#define PHONE_TABLE_FINGERPRINT \"%s\"\n", fingerprint);
	print_countries(countries, rows);
	print_regions(all, countries, rows);
	rows.print();
	return std::fflush(stdout) == 0 ? 0 : 1;
}
