# Add each .c (and .cc) of this folder below, one a line with a closing backslash
# but on the last; headers need no entry. %D% is this folder, %C% the same with _.
noinst_LIBRARIES += %D%/liblead.a
%C%_liblead_a_SOURCES = \
	%D%/attribution.c \
	%D%/binding.c \
	%D%/change.c \
	%D%/consent.c \
	%D%/country.c \
	%D%/day.c \
	%D%/email.c \
	%D%/email_lists.c \
	%D%/event.c \
	%D%/event_binding.c \
	%D%/field.c \
	%D%/identity.c \
	%D%/ip.c \
	%D%/language.c \
	%D%/lead.c \
	%D%/merge.c \
	%D%/merge_extra.c \
	%D%/merge_group.c \
	%D%/merge_value.c \
	%D%/name.c \
	%D%/normalize.c \
	%D%/number.c \
	%D%/phone.c \
	%D%/phone_filler.c \
	%D%/phone_library.cc \
	%D%/phone_table.c \
	%D%/profile.c \
	%D%/profile_url.c \
	%D%/record_decode.c \
	%D%/record_encode.c \
	%D%/text.c \
	%D%/unicode.c \
	%D%/url.c

# The table of phone numbers is made from the libphonenumber that is installed.
noinst_PROGRAMS += %D%/phone_table_gen
%C%_phone_table_gen_SOURCES = %D%/phone_table_gen.cc %D%/phone_library.cc %D%/phone_filler.c
%C%_phone_table_gen_LDADD = gateway/codec/libcodec.a $(PHONENUMBER_LIBS) $(ICU_LIBS)

BUILT_SOURCES += %D%/phone_table.inc
CLEANFILES += %D%/phone_table.inc
%D%/phone_table.inc: %D%/phone_table_gen$(EXEEXT)
	$(AM_V_GEN)%D%/phone_table_gen$(EXEEXT) > $@.tmp && mv $@.tmp $@
%D%/phone_table.$(OBJEXT): %D%/phone_table.inc
