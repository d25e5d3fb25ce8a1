"""dockstrata's own rules, one a file; the engine finds them by entry point like anyone's pack."""

from __future__ import annotations

from dockstrata.rule import Rule
from dockstrata_rules.images.constant_platform import constant_platform
from dockstrata_rules.images.duplicate_stage_name import duplicate_stage_name
from dockstrata_rules.images.from_as_casing import from_as_casing
from dockstrata_rules.images.invalid_default_arg_in_from import invalid_default_arg_in_from
from dockstrata_rules.images.latest_tag import latest_tag
from dockstrata_rules.images.redundant_target_platform import redundant_target_platform
from dockstrata_rules.images.reserved_stage_name import reserved_stage_name
from dockstrata_rules.images.stage_name_casing import stage_name_casing
from dockstrata_rules.images.undefined_arg_in_from import undefined_arg_in_from
from dockstrata_rules.instructions.consistent_instruction_casing import (
    consistent_instruction_casing,
)
from dockstrata_rules.instructions.expose_invalid_format import expose_invalid_format
from dockstrata_rules.instructions.expose_proto_casing import expose_proto_casing
from dockstrata_rules.instructions.json_args_recommended import json_args_recommended
from dockstrata_rules.instructions.legacy_key_value_format import legacy_key_value_format
from dockstrata_rules.instructions.maintainer_deprecated import maintainer_deprecated
from dockstrata_rules.instructions.multiple_cmd import multiple_cmd
from dockstrata_rules.instructions.multiple_entrypoint import multiple_entrypoint
from dockstrata_rules.instructions.multiple_healthcheck import multiple_healthcheck
from dockstrata_rules.instructions.no_empty_continuation import no_empty_continuation
from dockstrata_rules.instructions.overridden_instruction import overridden_instruction
from dockstrata_rules.instructions.undefined_var import undefined_var
from dockstrata_rules.instructions.workdir_relative_path import workdir_relative_path
from dockstrata_rules.packages.apk_no_cache import apk_no_cache
from dockstrata_rules.packages.apt_lists import apt_lists
from dockstrata_rules.packages.apt_no_recommends import apt_no_recommends
from dockstrata_rules.packages.apt_yes import apt_yes
from dockstrata_rules.packages.pip_no_cache import pip_no_cache
from dockstrata_rules.packages.unpinned_apk import unpinned_apk
from dockstrata_rules.packages.unpinned_apt import unpinned_apt
from dockstrata_rules.packages.unpinned_pip import unpinned_pip
from dockstrata_rules.security.secrets_in_arg_or_env import secrets_used_in_arg_or_env
from dockstrata_rules.shape.image_depth import image_depth
from dockstrata_rules.shape.layer_count import layer_count
from dockstrata_rules.shape.volatile_before_stable import volatile_before_stable
from dockstrata_rules.sharing.drifted_pins import drifted_pins
from dockstrata_rules.sharing.image_defined_twice import image_defined_twice
from dockstrata_rules.sharing.repeated_prefix import repeated_prefix
from dockstrata_rules.shell.apt_for_people import apt_for_people
from dockstrata_rules.shell.cd_in_run import cd_in_run
from dockstrata_rules.shell.consecutive_runs import consecutive_runs
from dockstrata_rules.shell.link_to_sh import link_to_sh
from dockstrata_rules.shell.pipefail import pipefail
from dockstrata_rules.shell.pointless_command import pointless_command
from dockstrata_rules.shell.sudo import sudo
from dockstrata_rules.shell.wget_and_curl import wget_and_curl
from dockstrata_rules.shell.wget_progress import wget_progress

RULES: tuple[Rule, ...] = (
    constant_platform,
    duplicate_stage_name,
    from_as_casing,
    invalid_default_arg_in_from,
    latest_tag,
    redundant_target_platform,
    reserved_stage_name,
    stage_name_casing,
    undefined_arg_in_from,
    consistent_instruction_casing,
    expose_invalid_format,
    expose_proto_casing,
    json_args_recommended,
    legacy_key_value_format,
    maintainer_deprecated,
    multiple_cmd,
    multiple_entrypoint,
    multiple_healthcheck,
    no_empty_continuation,
    overridden_instruction,
    undefined_var,
    workdir_relative_path,
    apk_no_cache,
    apt_lists,
    apt_no_recommends,
    apt_yes,
    pip_no_cache,
    unpinned_apk,
    unpinned_apt,
    unpinned_pip,
    secrets_used_in_arg_or_env,
    image_depth,
    layer_count,
    volatile_before_stable,
    drifted_pins,
    image_defined_twice,
    repeated_prefix,
    apt_for_people,
    cd_in_run,
    consecutive_runs,
    link_to_sh,
    pipefail,
    pointless_command,
    sudo,
    wget_and_curl,
    wget_progress,
)
