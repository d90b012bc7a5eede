/*
 * phone_library_… over libphonenumber, the only C++ of this folder beside the
 * generator. Parse, IsPossible and E.164 alone: IsValidNumber takes a lock that
 * all threads share. No exception leaves this file.
 */
#include <phonenumbers/phonenumberutil.h>

#include <elf.h>
#include <link.h>

#include <cstring>
#include <string>

extern "C" {
#include "codec/hex.h"
#include "lead/phone_filler.h"
#include "lead/phone_library.h"
}

using i18n::phonenumbers::PhoneNumber;
using i18n::phonenumbers::PhoneNumberUtil;

namespace
{

struct search {
	ElfW(Addr) address; /* of a function of the library */
	char *out;
	bool found;
};

/* Notes are 4-byte aligned: sizes of name and text, a type, and both. */
bool read_build_id(const char *note, size_t size, char *out)
{
	while (size >= sizeof(ElfW(Nhdr))) {
		ElfW(Nhdr) head;
		std::memcpy(&head, note, sizeof(head));
		size_t name = (head.n_namesz + 3u) & ~size_t{3};
		size_t text = (head.n_descsz + 3u) & ~size_t{3};
		const char *description = note + sizeof(head) + name;

		if (sizeof(head) + name + text > size)
			return false;
		if (head.n_type == NT_GNU_BUILD_ID && head.n_descsz > 0 &&
		    head.n_descsz * 2 < PHONE_FINGERPRINT_BYTES) {
			hex_encode({description, head.n_descsz}, out);
			return true;
		}
		note += sizeof(head) + name + text;
		size -= sizeof(head) + name + text;
	}
	return false;
}

bool holds(const dl_phdr_info *object, ElfW(Addr) address)
{
	for (int i = 0; i < object->dlpi_phnum; i++) {
		const ElfW(Phdr) &part = object->dlpi_phdr[i];
		ElfW(Addr) start = object->dlpi_addr + part.p_vaddr;

		if (part.p_type == PT_LOAD && address >= start && address - start < part.p_memsz)
			return true;
	}
	return false;
}

int visit(dl_phdr_info *object, size_t, void *data)
{
	auto *search = static_cast<struct search *>(data);

	if (!holds(object, search->address))
		return 0;
	if (!object->dlpi_name || !object->dlpi_name[0]) {
		std::strcpy(search->out, "static");
		search->found = true;
		return 1;
	}
	for (int i = 0; i < object->dlpi_phnum && !search->found; i++) {
		const ElfW(Phdr) &part = object->dlpi_phdr[i];

		if (part.p_type == PT_NOTE)
			search->found = read_build_id(
				reinterpret_cast<const char *>(object->dlpi_addr + part.p_vaddr),
				part.p_memsz, search->out);
	}
	return 1;
}

bool read(const std::string &text, const char *region, std::string *e164)
{
	const PhoneNumberUtil *util = PhoneNumberUtil::GetInstance();
	PhoneNumber number;
	std::string national;

	if (util->Parse(text, region, &number) != PhoneNumberUtil::NO_PARSING_ERROR)
		return false;
	/* IsPossibleNumber would take a number without its area code. */
	if (util->IsPossibleNumberWithReason(number) != PhoneNumberUtil::IS_POSSIBLE)
		return false;
	util->GetNationalSignificantNumber(number, &national);
	if (phone_filler({national.data(), national.size()}))
		return false;
	util->Format(number, PhoneNumberUtil::E164, e164);
	return true;
}

/* What begins like a trunk prefix even without one loses digits with each reading:
 * nobody can tell which number it is. */
bool normalize(struct lg_slice text, const char *region, char *out)
{
	std::string e164, again;

	if (!read(std::string(text.data, text.length), region, &e164) ||
	    e164.size() >= PHONE_E164_BYTES)
		return false;
	if (!read(e164, "ZZ", &again) || again != e164)
		return false;
	std::memcpy(out, e164.c_str(), e164.size() + 1);
	return true;
}

} // namespace

bool phone_library_normalize(struct lg_slice text, const char *region, char out[PHONE_E164_BYTES])
{
	try {
		return text.length > 0 && normalize(text, region, out);
	} catch (...) {
		return false; /* no memory: the number stays in `raw` */
	}
}

bool phone_library_region_known(const char *region)
{
	try {
		return PhoneNumberUtil::GetInstance()->GetCountryCodeForRegion(region) != 0;
	} catch (...) {
		return false;
	}
}

bool phone_library_fingerprint(char out[PHONE_FINGERPRINT_BYTES])
{
	/* A function whose address is the library's, not a stub of ours: it is
	 * asked for at run time. */
	auto function = &PhoneNumberUtil::GetInstance;
	struct search search = {reinterpret_cast<ElfW(Addr)>(function), out, false};

	dl_iterate_phdr(visit, &search);
	return search.found;
}
