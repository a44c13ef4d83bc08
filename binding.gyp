{
  # One list of sources for node-gyp and CMake: native/sources.json.
  # Standalone programs are generated from the same list, one executable target each.
  "variables": {
    "core_sources": ["<!@(node scripts/sources.mjs core)"],
    "addon_sources": ["<!@(node scripts/sources.mjs addon)"],
    "testing_sources": ["<!@(node scripts/sources.mjs testing)"],
    "peers": ["<!@(node scripts/sources.mjs peers)"]
  },
  "target_defaults": {
    "include_dirs": ["native"],
    "defines": ["_GNU_SOURCE", "DISPATCHBENCH_FLAGS=\"-std=c++20 -O2 -fno-omit-frame-pointer\""],
    # What a program of those that share the core never calls is left out of it.
    "cflags": ["-fno-omit-frame-pointer", "-fvisibility=hidden", "-ffunction-sections", "-fdata-sections"],
    "conditions": [["OS=='linux'", {"ldflags": ["-Wl,--gc-sections"]}]],
    "cflags_cc!": ["-fno-exceptions", "-fno-rtti", "-std=gnu++17", "-std=gnu++20"],
    "cflags_cc": ["-std=c++20", "-O2", "-g1", "-Wall", "-Wextra", "-Wconversion", "-Wno-sign-conversion", "-fno-exceptions", "-fno-rtti"],
    "xcode_settings": {
      "CLANG_CXX_LANGUAGE_STANDARD": "c++20",
      "GCC_ENABLE_CPP_EXCEPTIONS": "NO",
      "MACOSX_DEPLOYMENT_TARGET": "12.0"
    }
  },
  "targets": [
    {
      "target_name": "core",
      "type": "static_library",
      "cflags": ["-fPIC"],
      "sources": ["<@(core_sources)"]
    },
    {
      "target_name": "dispatchbench",
      "type": "loadable_module",
      "dependencies": ["core"],
      "sources": ["<@(addon_sources)"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"]
    },
    {
      "target_name": "dispatchbench-server",
      "type": "executable",
      "dependencies": ["core"],
      "sources": ["<!@(node scripts/sources.mjs program:dispatchbench-server)"]
    },
    {
      "target_name": "dispatchbench-baseline",
      "type": "executable",
      "dependencies": ["core"],
      "sources": ["<!@(node scripts/sources.mjs program:dispatchbench-baseline)"]
    },
    {
      "target_name": "dispatchbench-bare",
      "type": "executable",
      "dependencies": ["core"],
      "sources": ["<!@(node scripts/sources.mjs program:dispatchbench-bare)"]
    },
    {
      "target_name": "dispatchbench-dispatch-cost",
      "type": "executable",
      "dependencies": ["core"],
      "sources": ["<!@(node scripts/sources.mjs program:dispatchbench-dispatch-cost)"]
    },
    {
      "target_name": "dispatchbench-foreign",
      "type": "executable",
      "dependencies": ["core"],
      "sources": ["<!@(node scripts/sources.mjs program:dispatchbench-foreign)"]
    },
    {
      "target_name": "dispatchbench-gateway",
      "type": "executable",
      "dependencies": ["core"],
      "sources": ["<!@(node scripts/sources.mjs program:dispatchbench-gateway)"]
    },
    {
      "target_name": "dispatchbench-link",
      "type": "executable",
      "dependencies": ["core"],
      "sources": ["<!@(node scripts/sources.mjs program:dispatchbench-link)"]
    },
    {
      # Libraries of codecs are opened at run time.
      "target_name": "dispatchbench-migrate",
      "type": "executable",
      "dependencies": ["core"],
      "sources": ["<!@(node scripts/sources.mjs program:dispatchbench-migrate)"],
      "conditions": [["OS=='linux'", {"libraries": ["-ldl"]}]]
    },
    {
      "target_name": "dispatchbench-spawn",
      "type": "executable",
      "dependencies": ["core"],
      "sources": ["<!@(node scripts/sources.mjs program:dispatchbench-spawn)"]
    },
    {
      "target_name": "dispatchbench-transfer",
      "type": "executable",
      "dependencies": ["core"],
      "sources": ["<!@(node scripts/sources.mjs program:dispatchbench-transfer)"]
    },
    {
      # A plain shared object for LD_PRELOAD, see the source.
      "target_name": "dispatchbench_frames",
      "type": "loadable_module",
      "sources": ["<!@(node scripts/sources.mjs frames)"]
    },
    {
      "target_name": "dispatchbench_testing",
      "type": "loadable_module",
      "dependencies": ["core"],
      "sources": ["<@(testing_sources)"],
      "include_dirs": ["<!(node -p \"require('node-addon-api').include_dir\")"],
      "defines": ["NAPI_VERSION=8", "NAPI_DISABLE_CPP_EXCEPTIONS", "NODE_ADDON_API_DISABLE_DEPRECATED"]
    }
  ],
  # On libraries that a machine may have; where it has not, `dispatchbench cost` says how to get them.
  "conditions": [
    ["'dispatchbench-cost-libevent' in peers", {
      "targets": [{
        "target_name": "dispatchbench-cost-libevent",
        "type": "executable",
        "dependencies": ["core"],
        "sources": ["<!@(node scripts/sources.mjs peer:dispatchbench-cost-libevent)"],
        "libraries": ["-levent_core", "-ldl"]
      }]
    }],
    ["'dispatchbench-cost-libev' in peers", {
      "targets": [{
        "target_name": "dispatchbench-cost-libev",
        "type": "executable",
        "dependencies": ["core"],
        "sources": ["<!@(node scripts/sources.mjs peer:dispatchbench-cost-libev)"],
        "libraries": ["-lev", "-ldl"]
      }]
    }],
    ["'dispatchbench-cost-libuv' in peers", {
      "targets": [{
        "target_name": "dispatchbench-cost-libuv",
        "type": "executable",
        "dependencies": ["core"],
        "sources": ["<!@(node scripts/sources.mjs peer:dispatchbench-cost-libuv)"],
        "libraries": ["-luv", "-ldl"]
      }]
    }],
    ["'dispatchbench-evhttp' in peers", {
      "targets": [{
        "target_name": "dispatchbench-evhttp",
        "type": "executable",
        "dependencies": ["core"],
        "sources": ["<!@(node scripts/sources.mjs peer:dispatchbench-evhttp)"],
        "libraries": ["-levent"]
      }]
    }],
    ["'dispatchbench-libuv' in peers", {
      "targets": [{
        "target_name": "dispatchbench-libuv",
        "type": "executable",
        "dependencies": ["core"],
        "sources": ["<!@(node scripts/sources.mjs peer:dispatchbench-libuv)"],
        "libraries": ["-luv"]
      }]
    }]
  ]
}
