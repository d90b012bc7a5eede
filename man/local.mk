# A page written by hand: dist_man_MANS += %D%/NAME.1 — one made by a build step:
# nodist_man_MANS += %D%/NAME.5, its rule, and CLEANFILES += %D%/NAME.5.
