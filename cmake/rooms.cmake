# SPDX-License-Identifier: EPL-2.0 OR BSD-3-Clause
#
# room(name SOURCES... ROOMS... USES...): one directory, one static library.
# ROOMS are the rooms it may know, USES the third-party libraries it owns.

add_library(house INTERFACE)
target_compile_features(house INTERFACE c_std_11)
target_compile_definitions(house INTERFACE _GNU_SOURCE
	CERTID_VERSION="${PROJECT_VERSION}" OPENSSL_API_COMPAT=30000
	OPENSSL_NO_DEPRECATED)
target_include_directories(house INTERFACE ${PROJECT_SOURCE_DIR})
target_compile_options(house INTERFACE -Wall -Wextra -Wpedantic -Wshadow
	-Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wcast-qual
	-Wwrite-strings -Wvla -Wformat=2 -Wswitch-enum
	$<$<BOOL:${CERTID_WERROR}>:-Werror>)
if(CERTID_SANITIZE STREQUAL "address")
	target_compile_options(house INTERFACE -fsanitize=address,undefined
		-fno-sanitize-recover=undefined -fno-omit-frame-pointer)
	target_link_options(house INTERFACE -fsanitize=address,undefined)
elseif(CERTID_SANITIZE STREQUAL "thread")
	target_compile_options(house INTERFACE -fsanitize=thread)
	target_link_options(house INTERFACE -fsanitize=thread)
elseif(NOT CERTID_SANITIZE STREQUAL "")
	message(FATAL_ERROR "CERTID_SANITIZE: address, thread, or empty")
endif()

function(room name)
	cmake_parse_arguments(ROOM "" "" "SOURCES;ROOMS;USES" ${ARGN})
	list(TRANSFORM ROOM_SOURCES PREPEND ${PROJECT_SOURCE_DIR}/${name}/)
	add_library(${name} STATIC ${ROOM_SOURCES})
	set_target_properties(${name} PROPERTIES
		POSITION_INDEPENDENT_CODE ON C_VISIBILITY_PRESET hidden)
	target_link_libraries(${name} PUBLIC ${ROOM_ROOMS}
		PRIVATE house ${ROOM_USES})
endfunction()
