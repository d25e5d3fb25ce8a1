"""dockstrata's own rules, one a file; the engine finds them by entry point like anyone's pack."""

from __future__ import annotations

from dockstrata.rule import Rule
from dockstrata_rules.images.constant_platform import constant_platform
from dockstrata_rules.images.duplicate_stage_name import duplicate_stage_name
from dockstrata_rules.images.from_as_casing import from_as_casing
from dockstrata_rules.images.invalid_base_image_platform import invalid_base_image_platform
from dockstrata_rules.images.invalid_default_arg_in_from import invalid_default_arg_in_from
from dockstrata_rules.images.latest_tag import latest_tag
from dockstrata_rules.images.redundant_target_platform import redundant_target_platform
from dockstrata_rules.images.reserved_stage_name import reserved_stage_name
from dockstrata_rules.images.stage_name_casing import stage_name_casing
from dockstrata_rules.images.undefined_arg_in_from import undefined_arg_in_from
from dockstrata_rules.images.untagged_image import untagged_image
from dockstrata_rules.images.untrusted_registry import untrusted_registry
from dockstrata_rules.instructions.add_instead_of_copy import add_instead_of_copy
from dockstrata_rules.instructions.before_from import before_from
from dockstrata_rules.instructions.consistent_instruction_casing import (
    consistent_instruction_casing,
)
from dockstrata_rules.instructions.copy_from_itself import copy_from_itself
from dockstrata_rules.instructions.copy_from_unknown import copy_from_unknown
from dockstrata_rules.instructions.copy_ignored_file import copy_ignored_file
from dockstrata_rules.instructions.copy_to_no_directory import copy_to_no_directory
from dockstrata_rules.instructions.copy_whole_stage import copy_whole_stage
from dockstrata_rules.instructions.copy_without_workdir import copy_without_workdir
from dockstrata_rules.instructions.does_not_build import does_not_build
from dockstrata_rules.instructions.empty_label import empty_label
from dockstrata_rules.instructions.env_uses_itself import env_uses_itself
from dockstrata_rules.instructions.expose_invalid_format import expose_invalid_format
from dockstrata_rules.instructions.expose_proto_casing import expose_proto_casing
from dockstrata_rules.instructions.hadolint_ignore import hadolint_ignore
from dockstrata_rules.instructions.invalid_definition_description import (
    invalid_definition_description,
)
from dockstrata_rules.instructions.invalid_label_email import invalid_label_email
from dockstrata_rules.instructions.invalid_label_hash import invalid_label_hash
from dockstrata_rules.instructions.invalid_label_key import invalid_label_key
from dockstrata_rules.instructions.invalid_label_license import invalid_label_license
from dockstrata_rules.instructions.invalid_label_time import invalid_label_time
from dockstrata_rules.instructions.invalid_label_url import invalid_label_url
from dockstrata_rules.instructions.invalid_label_version import invalid_label_version
from dockstrata_rules.instructions.invalid_port import invalid_port
from dockstrata_rules.instructions.invalid_trigger import invalid_trigger
from dockstrata_rules.instructions.json_args_recommended import json_args_recommended
from dockstrata_rules.instructions.legacy_key_value_format import legacy_key_value_format
from dockstrata_rules.instructions.maintainer_deprecated import maintainer_deprecated
from dockstrata_rules.instructions.missing_label import missing_label
from dockstrata_rules.instructions.multiple_cmd import multiple_cmd
from dockstrata_rules.instructions.multiple_entrypoint import multiple_entrypoint
from dockstrata_rules.instructions.multiple_healthcheck import multiple_healthcheck
from dockstrata_rules.instructions.no_empty_continuation import no_empty_continuation
from dockstrata_rules.instructions.no_healthcheck import no_healthcheck
from dockstrata_rules.instructions.overridden_instruction import overridden_instruction
from dockstrata_rules.instructions.superfluous_label import superfluous_label
from dockstrata_rules.instructions.undefined_var import undefined_var
from dockstrata_rules.instructions.unpacked_archive import unpacked_archive
from dockstrata_rules.instructions.workdir_relative_path import workdir_relative_path
from dockstrata_rules.packages.apk_no_cache import apk_no_cache
from dockstrata_rules.packages.apt_lists import apt_lists
from dockstrata_rules.packages.apt_no_recommends import apt_no_recommends
from dockstrata_rules.packages.apt_yes import apt_yes
from dockstrata_rules.packages.dnf_clean import dnf_clean
from dockstrata_rules.packages.dnf_yes import dnf_yes
from dockstrata_rules.packages.pip_no_cache import pip_no_cache
from dockstrata_rules.packages.unpinned_apk import unpinned_apk
from dockstrata_rules.packages.unpinned_apt import unpinned_apt
from dockstrata_rules.packages.unpinned_dnf import unpinned_dnf
from dockstrata_rules.packages.unpinned_gem import unpinned_gem
from dockstrata_rules.packages.unpinned_go import unpinned_go
from dockstrata_rules.packages.unpinned_npm import unpinned_npm
from dockstrata_rules.packages.unpinned_pip import unpinned_pip
from dockstrata_rules.packages.unpinned_yum import unpinned_yum
from dockstrata_rules.packages.unpinned_zypper import unpinned_zypper
from dockstrata_rules.packages.yarn_cache import yarn_cache
from dockstrata_rules.packages.yum_clean import yum_clean
from dockstrata_rules.packages.yum_yes import yum_yes
from dockstrata_rules.packages.zypper_clean import zypper_clean
from dockstrata_rules.packages.zypper_dist_upgrade import zypper_dist_upgrade
from dockstrata_rules.packages.zypper_yes import zypper_yes
from dockstrata_rules.security.named_user import named_user
from dockstrata_rules.security.root_user import root_user
from dockstrata_rules.security.secrets_in_arg_or_env import secrets_used_in_arg_or_env
from dockstrata_rules.shape.base_cycle import base_cycle
from dockstrata_rules.shape.base_with_one_child import base_with_one_child
from dockstrata_rules.shape.image_depth import image_depth
from dockstrata_rules.shape.layer_count import layer_count
from dockstrata_rules.shape.missing_base import missing_base
from dockstrata_rules.shape.volatile_before_stable import volatile_before_stable
from dockstrata_rules.sharing.drifted_pins import drifted_pins
from dockstrata_rules.sharing.image_defined_twice import image_defined_twice
from dockstrata_rules.sharing.near_repeated_prefix import near_repeated_prefix
from dockstrata_rules.sharing.repeated_prefix import repeated_prefix
from dockstrata_rules.sharing.steps_of_a_base import steps_of_a_base
from dockstrata_rules.shell.apt_for_people import apt_for_people
from dockstrata_rules.shell.cd_in_run import cd_in_run
from dockstrata_rules.shell.consecutive_runs import consecutive_runs
from dockstrata_rules.shell.link_to_sh import link_to_sh
from dockstrata_rules.shell.pipefail import pipefail
from dockstrata_rules.shell.pointless_command import pointless_command
from dockstrata_rules.shell.shellcheck import shellcheck
from dockstrata_rules.shell.sudo import sudo
from dockstrata_rules.shell.useradd_high_uid import useradd_high_uid
from dockstrata_rules.shell.wget_and_curl import wget_and_curl
from dockstrata_rules.shell.wget_progress import wget_progress

RULES: tuple[Rule, ...] = (
    constant_platform,
    duplicate_stage_name,
    from_as_casing,
    invalid_base_image_platform,
    invalid_default_arg_in_from,
    latest_tag,
    redundant_target_platform,
    reserved_stage_name,
    stage_name_casing,
    undefined_arg_in_from,
    untagged_image,
    untrusted_registry,
    add_instead_of_copy,
    before_from,
    consistent_instruction_casing,
    copy_from_itself,
    does_not_build,
    copy_from_unknown,
    copy_ignored_file,
    copy_to_no_directory,
    copy_whole_stage,
    copy_without_workdir,
    env_uses_itself,
    expose_invalid_format,
    expose_proto_casing,
    hadolint_ignore,
    invalid_definition_description,
    invalid_label_key,
    empty_label,
    invalid_label_url,
    invalid_label_time,
    invalid_label_hash,
    invalid_label_license,
    invalid_label_version,
    invalid_label_email,
    missing_label,
    superfluous_label,
    invalid_port,
    invalid_trigger,
    json_args_recommended,
    legacy_key_value_format,
    maintainer_deprecated,
    multiple_cmd,
    multiple_entrypoint,
    multiple_healthcheck,
    no_empty_continuation,
    no_healthcheck,
    overridden_instruction,
    undefined_var,
    unpacked_archive,
    workdir_relative_path,
    apk_no_cache,
    apt_lists,
    apt_no_recommends,
    apt_yes,
    dnf_clean,
    dnf_yes,
    pip_no_cache,
    unpinned_apk,
    unpinned_apt,
    unpinned_dnf,
    unpinned_gem,
    unpinned_go,
    unpinned_npm,
    unpinned_pip,
    unpinned_yum,
    unpinned_zypper,
    yarn_cache,
    yum_clean,
    yum_yes,
    zypper_clean,
    zypper_dist_upgrade,
    zypper_yes,
    named_user,
    root_user,
    secrets_used_in_arg_or_env,
    base_cycle,
    base_with_one_child,
    image_depth,
    layer_count,
    missing_base,
    volatile_before_stable,
    drifted_pins,
    image_defined_twice,
    near_repeated_prefix,
    repeated_prefix,
    steps_of_a_base,
    apt_for_people,
    cd_in_run,
    consecutive_runs,
    link_to_sh,
    pipefail,
    pointless_command,
    shellcheck,
    sudo,
    useradd_high_uid,
    wget_and_curl,
    wget_progress,
)
